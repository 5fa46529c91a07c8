"""The walk over neighbouring activation regions, nearest first."""
