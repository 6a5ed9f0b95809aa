"""`python -m signalwright` and the installed command."""


def main() -> None:
    """Run the command line (imported late, so that importing the package stays fast)."""
    from .cli import run_cli

    run_cli()


if __name__ == "__main__":
    main()
