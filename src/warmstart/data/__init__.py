"""Logged data: readers of every layout, export, checks and makers."""

from warmstart.data.build import ACTION_LIMIT as ACTION_LIMIT
from warmstart.data.build import unit_actions as unit_actions
from warmstart.data.columns import parse_columns as parse_columns
from warmstart.data.load import load as load
from warmstart.data.load import load_source as load_source
from warmstart.data.manifest import content_hash as content_hash
from warmstart.data.manifest import read_folder as read_folder
from warmstart.data.manifest import read_manifest as read_manifest
from warmstart.data.manifest import save_folder as save_folder
from warmstart.data.manifest import statistics as statistics
from warmstart.data.minari_export import export_minari as export_minari
from warmstart.data.views import VIEWS as VIEWS
from warmstart.data.views import known_view as known_view
