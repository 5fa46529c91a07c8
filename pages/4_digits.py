from pages.shared.shell import run_app

run_app()
