"""The entry of the web app: it only routes. Run it with `streamlit run app.py`."""

from pages.shared.shell import run_app

run_app()
