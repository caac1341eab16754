"""The servers that are compared."""

from support.server import Server


class DefaultMlflow(Server):
    """`mlflow server` with the number of workers it takes by itself."""

    def command(self) -> list[str]:
        command = super().command()
        position = command.index("--workers")
        return command[:position] + command[position + 2:]
