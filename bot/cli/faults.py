"""Turn errors into messages and exit codes: 0 success, 1 something is wrong or failed, 2 wrong usage or settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from bot.cli.output import Failed, WrongCall

DONE, WENT_WRONG, WRONG_CALL = 0, 1, 2


def exit_code_of(run: Callable[[], int]) -> int:
    """Run a command and return its exit code; if it fails, print why to standard error."""
    from bot.composition.settings import BadSettings
    from bot.composition.store import NoStore
    from flows.catalogue import UnknownEdition
    from flows.definition import InvalidEdition
    from storage.core.faults import StorageRefused, StorageUnavailable
    from storage.core.sealing import BadKey, SealBroken

    try:
        code = int(run())
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader closed the pipe, as `head` does: not an error. Discard the rest of our output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (WrongCall, UnknownEdition) as error:
        sys.stderr.write(f"sharewise: {error}\n")
        return WRONG_CALL
    except BadSettings as error:
        sys.stderr.write("sharewise: these settings are missing or wrong:\n")
        sys.stderr.writelines(f"  {problem}\n" for problem in error.problems)
        return WRONG_CALL
    except InvalidEdition as error:
        sys.stderr.write("sharewise: the edition has problems:\n")
        sys.stderr.writelines(f"  {problem}\n" for problem in error.problems)
    except (Failed, NoStore, BadKey, SealBroken, StorageRefused, StorageUnavailable) as error:
        sys.stderr.write(f"sharewise: {error}\n")
    except Exception as error:
        from bot.composition.logs import where_of

        # Print neither the error's text nor a traceback: both may quote what people wrote, or a secret.
        sys.stderr.write(f"sharewise: it ended by a fault of its own ({where_of(error)}). Please report this.\n")
    return WENT_WRONG
