"""Branches that programs make. They carry the same names in many repositories without belonging together.

``exclude_bots: false`` takes the list away. Each line names who makes such branches.
"""

from __future__ import annotations

from typing import Final

BOT_BRANCHES: Final = (
    "patch-*",  # GitHub's web editor, in a fork
    "*-patch-[0-9]",  # GitHub's web editor, in the repository itself: LOGIN-patch-1
    "*-patch-[0-9][0-9]",
    "revert-*",  # GitHub's revert button: revert-12-BRANCH
    "gh-readonly-queue/**",  # GitHub's merge queue
    "github-actions/**",  # workflows that open pull requests
    "create-pull-request/**",  # peter-evans/create-pull-request
    "dependabot/**",
    "dependabot-*",
    "renovate/**",
    "renovate-*",
    "whitesource-remediate/**",  # Mend
    "whitesource/**",
    "mend/**",
    "snyk-*",  # snyk-fix-…, snyk-upgrade-…
    "depfu/**",
    "greenkeeper/**",
    "greenkeeper-*",
    "pyup-*",
    "pyup/**",
    "pre-commit-ci-*",
    "deepsource-*",
    "imgbot",
    "all-contributors/**",
    "allcontributors/**",
    "release-please--**",
    "changeset-release/**",
    "mergify/**",
    "trunk-merge/**",
    "graphite-base/**",
)
