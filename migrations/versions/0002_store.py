"""The tables of the store: the inbox, change sets, signs, the outbox, timers, history and access.

Revision: 0002. Written out by comparing the models with an empty database; a test keeps both equal.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

# Twice the inserts per second of the default on bodies of 25 KB, where the server was built with it.
LZ4 = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE deliveries ALTER COLUMN body SET COMPRESSION lz4;
    END IF;
END
$$
"""


def upgrade() -> None:
    _api_tokens()
    _build_times()
    _change_sets()
    _commands()
    _configs()
    _deliveries()
    _installations()
    _pulls()
    _results()
    _sightings()
    _signs()
    _timers()
    _attempts()
    _contributions()
    _history()
    _idempotency_keys()
    _orchestrations()
    _repositories()
    _set_pulls()
    _effects()
    op.execute(LZ4)


def _api_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.CheckConstraint(
            "cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'run', 'admin']", name=op.f("ck_api_tokens_scopes")
        ),
        sa.CheckConstraint("owner = lower(owner)", name=op.f("ck_api_tokens_owner_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_tokens_sha256")),
    )
    op.create_index(
        "uq_api_tokens_name", "api_tokens", ["name"], unique=True, postgresql_where=sa.text("revoked_at IS NULL")
    )


def _build_times() -> None:
    op.create_table(
        "build_times",
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("finished_at", TIME, nullable=False),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_build_times_seconds")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_build_times")),
    )
    op.create_index("ix_build_times_recent", "build_times", ["repository_id", "workflow", "finished_at"], unique=False)


def _change_sets() -> None:
    op.create_table(
        "change_sets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("base_line", sa.Text(), nullable=False),
        sa.Column("doc", JSONB(), nullable=False),
        sa.Column("orchestration_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verdict_state", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('change_set', 'alone', 'branch')", name=op.f("ck_change_sets_kind")),
        sa.CheckConstraint(
            "state IN ('open', 'landing', 'torn', 'merged', 'closed')", name=op.f("ck_change_sets_state")
        ),
        sa.CheckConstraint(
            "(verdict_state IS NULL) = (description IS NULL)", name=op.f("ck_change_sets_verdict_is_whole")
        ),
        sa.CheckConstraint("owner = lower(owner)", name=op.f("ck_change_sets_owner_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_sets")),
        sa.UniqueConstraint(
            "owner",
            "pipeline",
            "kind",
            "key",
            "base_line",
            name=op.f("uq_change_sets_owner_pipeline_kind_key_base_line"),
        ),
    )
    op.create_index("ix_change_sets_state_created_at", "change_sets", ["state", "created_at", "id"], unique=False)
    op.create_index("ix_change_sets_created_at", "change_sets", ["created_at", "id"], unique=False)


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("comment_id", sa.BigInteger(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("judged_at", TIME, nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("answer_text", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answer_id", sa.BigInteger(), nullable=True),
        sa.Column("refusal", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(answer = 'none') = (answer_text IS NULL)", name=op.f("ck_commands_answer_has_text")),
        sa.CheckConstraint("answer = 'none' OR judged_at IS NOT NULL", name=op.f("ck_commands_answered_after_judging")),
        sa.CheckConstraint("answer IN ('none', 'wanted', 'begun', 'sent', 'lost')", name=op.f("ck_commands_answer")),
        sa.CheckConstraint("answer_id IS NULL OR answer = 'sent'", name=op.f("ck_commands_answer_id_is_sent")),
        sa.CheckConstraint("(judged_at IS NULL) = (accepted IS NULL)", name=op.f("ck_commands_judged_is_whole")),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_commands")),
    )
    op.create_index("ix_commands_refusals", "commands", ["repository_id", "number", "login", "judged_at"], unique=False)


def _configs() -> None:
    op.create_table(
        "configs",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("sha", sa.Text(), nullable=True),
        sa.Column("problems", JSONB(), nullable=False),
        sa.Column("good_text", sa.Text(), nullable=True),
        sa.Column("good_sha", sa.Text(), nullable=True),
        sa.Column("read_at", TIME, nullable=False),
        sa.CheckConstraint("(good_text IS NULL) = (good_sha IS NULL)", name=op.f("ck_configs_good_text_has_sha")),
        sa.CheckConstraint("(text IS NULL) = (sha IS NULL)", name=op.f("ck_configs_text_has_sha")),
        sa.CheckConstraint("owner = lower(owner)", name=op.f("ck_configs_owner_lower")),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_configs")),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("installation_id", sa.BigInteger(), nullable=True),
        sa.Column("repository_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("handled_at", TIME, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(reason IS NOT NULL) = (outcome IS NOT NULL AND outcome <> 'handled')",
            name=op.f("ck_deliveries_reason_where_due"),
        ),
        sa.CheckConstraint("outcome IN ('handled', 'ignored', 'failed')", name=op.f("ck_deliveries_outcome")),
        sa.CheckConstraint("(handled_at IS NULL) = (outcome IS NULL)", name=op.f("ck_deliveries_outcome_with_time")),
        sa.CheckConstraint("length(event) BETWEEN 1 AND 100", name=op.f("ck_deliveries_event_length")),
        sa.CheckConstraint("length(guid) BETWEEN 1 AND 100", name=op.f("ck_deliveries_guid_length")),
        sa.PrimaryKeyConstraint("guid", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_newest", "deliveries", ["received_at", "guid"], unique=False)
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("handled_at IS NULL"),
    )


def _installations() -> None:
    op.create_table(
        "installations",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("permissions", JSONB(), nullable=False),
        sa.Column("ignored", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('active', 'suspended', 'removed')", name=op.f("ck_installations_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installations")),
    )
    op.create_index("ix_installations_owner_lower", "installations", [sa.literal_column("lower(owner)")], unique=False)


def _pulls() -> None:
    op.create_table(
        "pulls",
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "number", name=op.f("pk_pulls")),
    )


def _results() -> None:
    op.create_table(
        "results",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("orchestration_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("finished_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_results")),
    )
    op.create_index("ix_results_run_id", "results", ["run_id"], unique=False)


def _sightings() -> None:
    op.create_table(
        "sightings",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("run_attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("head_sha", sa.Text(), nullable=False),
        sa.Column("doc", JSONB(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "run_attempt", "status", name=op.f("pk_sightings")),
    )
    op.create_index(
        "ix_sightings_place", "sightings", ["repository_id", "workflow", "branch", "head_sha"], unique=False
    )
    op.create_index("ix_sightings_seen_at", "sightings", ["seen_at"], unique=False)


def _signs() -> None:
    op.create_table(
        "signs",
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wanted_state", sa.Text(), nullable=True),
        sa.Column("wanted_cause", sa.Text(), nullable=True),
        sa.Column("wanted_description", sa.Text(), nullable=True),
        sa.Column("wanted_url", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("shown_state", sa.Text(), nullable=True),
        sa.Column("shown_description", sa.Text(), nullable=True),
        sa.Column("shown_url", sa.Text(), nullable=True),
        sa.Column("shown_version", sa.Integer(), nullable=True),
        sa.Column("shown_at", TIME, nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "shown_state IN ('pending', 'success', 'failure', 'error')", name=op.f("ck_signs_shown_state")
        ),
        sa.CheckConstraint(
            "wanted_state IN ('pending', 'success', 'failure', 'error')", name=op.f("ck_signs_wanted_state")
        ),
        sa.CheckConstraint("context = lower(name)", name=op.f("ck_signs_context_is_name")),
        sa.CheckConstraint(
            "num_nulls(shown_state, shown_description, shown_version, shown_at) IN (0, 4)",
            name=op.f("ck_signs_shown_is_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(wanted_state, wanted_cause, wanted_description) IN (0, 3)", name=op.f("ck_signs_wanted_is_whole")
        ),
        sa.CheckConstraint("shown_version <= version", name=op.f("ck_signs_shown_was_wanted")),
        sa.PrimaryKeyConstraint("repository_id", "sha", "context", name=op.f("pk_signs")),
    )


def _timers() -> None:
    op.create_table(
        "timers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("leased_until", TIME, nullable=True),
        sa.CheckConstraint("kind IN ('set', 'effect', 'upkeep')", name=op.f("ck_timers_kind")),
        sa.CheckConstraint("leased_until > due_at", name=op.f("ck_timers_lease_is_after_due")),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_timers")),
    )
    op.create_index("ix_timers_due", "timers", ["due_at"], unique=False)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.Column("orchestration_id", sa.Text(), nullable=False),
        sa.Column("build", sa.Text(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("planned_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("awaited", sa.Boolean(), nullable=False),
        sa.Column("unclear", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "NOT awaited OR (sent_at IS NOT NULL AND run_id IS NULL)",
            name=op.f("ck_attempts_awaited_is_sent_and_runless"),
        ),
        sa.ForeignKeyConstraint(["set_id"], ["change_sets.id"], name=op.f("fk_attempts_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_set_id", "attempts", ["set_id"], unique=False)
    op.create_index(
        "uq_attempts_awaited",
        "attempts",
        ["repository_id", "workflow", "ref"],
        unique=True,
        postgresql_where=sa.text("awaited"),
    )
    op.create_index(
        "uq_attempts_run_id", "attempts", ["run_id"], unique=True, postgresql_where=sa.text("run_id IS NOT NULL")
    )


def _contributions() -> None:
    op.create_table(
        "contributions",
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("target_url", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'success', 'failure', 'error')", name=op.f("ck_contributions_state")),
        sa.ForeignKeyConstraint(
            ["set_id"], ["change_sets.id"], name=op.f("fk_contributions_set_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("set_id", "repository_id", "sha", name=op.f("pk_contributions")),
    )
    op.create_index("ix_contributions_sign", "contributions", ["repository_id", "sha", "context"], unique=False)


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("set_id", sa.Text(), nullable=True),
        sa.Column("orchestration_id", sa.Text(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("event", JSONB(), nullable=True),
        sa.Column("changed", JSONB(), nullable=False),
        sa.Column("effects", JSONB(), nullable=False),
        sa.Column("request_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint(
            "cause_kind IN ('delivery', 'effect', 'timer', 'command', 'api', 'scan', 'config')",
            name=op.f("ck_history_cause_kind"),
        ),
        sa.ForeignKeyConstraint(["set_id"], ["change_sets.id"], name=op.f("fk_history_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
    )
    op.create_index("ix_history_orchestration_id", "history", ["orchestration_id", "id"], unique=False)
    op.create_index("ix_history_set_id", "history", ["set_id", "id"], unique=False)


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", JSONB(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("(status IS NULL) = (answer IS NULL)", name=op.f("ck_idempotency_keys_answer_is_whole")),
        sa.ForeignKeyConstraint(["token_id"], ["api_tokens.id"], name=op.f("fk_idempotency_keys_token_id")),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)


def _orchestrations() -> None:
    op.create_table(
        "orchestrations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("doc", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("trigger", JSONB(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.CheckConstraint("kind IN ('change_set', 'branch', 'fleet')", name=op.f("ck_orchestrations_kind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'building', 'passed', 'failed', 'error', 'cancelled', 'superseded')",
            name=op.f("ck_orchestrations_state"),
        ),
        sa.ForeignKeyConstraint(["set_id"], ["change_sets.id"], name=op.f("fk_orchestrations_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orchestrations")),
    )
    op.create_index("ix_orchestrations_created_at", "orchestrations", ["created_at", "id"], unique=False)
    op.create_index("ix_orchestrations_set_id_created_at", "orchestrations", ["set_id", "created_at"], unique=False)


def _repositories() -> None:
    op.create_table(
        "repositories",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("default_branch", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("accessible", sa.Boolean(), nullable=False),
        sa.CheckConstraint("visibility IN ('private', 'internal', 'public')", name=op.f("ck_repositories_visibility")),
        sa.ForeignKeyConstraint(
            ["installation_id"], ["installations.id"], name=op.f("fk_repositories_installation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repositories")),
    )
    op.create_index("ix_repositories_installation_id", "repositories", ["installation_id"], unique=False)
    op.create_index(
        "uq_repositories_name",
        "repositories",
        [sa.literal_column("lower(owner)"), sa.literal_column("lower(name)")],
        unique=True,
        postgresql_where=sa.text("accessible"),
    )


def _set_pulls() -> None:
    op.create_table(
        "set_pulls",
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["set_id"], ["change_sets.id"], name=op.f("fk_set_pulls_set_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("set_id", "repository_id", "number", name=op.f("pk_set_pulls")),
    )
    op.create_index("ix_set_pulls_repository_id_number", "set_pulls", ["repository_id", "number"], unique=False)


def _effects() -> None:
    op.create_table(
        "effects",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("set_id", sa.Text(), nullable=True),
        sa.Column("history_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("args", JSONB(), nullable=False),
        sa.Column("lock", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(done_at IS NULL) = (state IN ('promised', 'waiting'))", name=op.f("ck_effects_done_at_is_end")
        ),
        sa.CheckConstraint("state <> 'failed' OR last_error IS NOT NULL", name=op.f("ck_effects_failed_has_error")),
        sa.CheckConstraint("state IN ('promised', 'waiting', 'done', 'failed')", name=op.f("ck_effects_state")),
        sa.ForeignKeyConstraint(
            ["history_id"], ["history.id"], name=op.f("fk_effects_history_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["set_id"], ["change_sets.id"], name=op.f("fk_effects_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effects")),
    )
    op.create_index("ix_effects_set_id", "effects", ["set_id", "id"], unique=False)
    op.create_index(
        "ix_effects_unfinished", "effects", ["id"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )
