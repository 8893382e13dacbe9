"""The config room: an owner's file as text becomes a ``Config``, or a list of problems with line, column and help.

Law: never an exception for any text whatever, never half a config; nothing here reads a file, a clock or GitHub.
"""

from app.config.file import Parsed, read_config, schema
from app.config.matching import base_line_of, key_of
from app.config.problems import Problem

__all__ = ["Parsed", "Problem", "base_line_of", "key_of", "read_config", "schema"]
