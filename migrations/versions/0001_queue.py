"""The job queue: procrastinate's own tables, and the wake-up it lacks.

Revision: 0001, the first.
"""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A job that waits for a lock is not woken when the lock's holder ends: its worker finds it at the next poll, seconds
# later. So each end of a job that held a lock is announced like a new job, on the channels that workers listen to and
# in the form that procrastinate 3.10 reads ({"type": "job_inserted", "job_id": n}).
LOCK_RELEASED = """
CREATE FUNCTION lockstep_announce_released_lock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    announcement text := json_build_object('type', 'job_inserted', 'job_id', OLD.id)::text;
BEGIN
    PERFORM pg_notify('procrastinate_queue_v1#' || OLD.queue_name, announcement);
    PERFORM pg_notify('procrastinate_any_queue_v1', announcement);
    RETURN NULL;
END
$$;

CREATE TRIGGER lockstep_lock_released_by_status AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.lock IS NOT NULL AND OLD.status = 'doing' AND NEW.status <> 'doing')
    EXECUTE FUNCTION lockstep_announce_released_lock();

CREATE TRIGGER lockstep_lock_released_by_deletion AFTER DELETE ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.lock IS NOT NULL AND OLD.status = 'doing')
    EXECUTE FUNCTION lockstep_announce_released_lock();
"""


def upgrade() -> None:
    # The schema is read from the installed package: pyproject.toml holds it below 3.11, and another minor version comes
    # with a revision of ours that runs the package's own migrations.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    # Straight to the driver: the text has many statements, and its % and : are no parameters.
    driver.execute(SchemaManager.get_schema())
    driver.execute(LOCK_RELEASED)
