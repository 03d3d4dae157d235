"""Reach a dask.distributed cluster by its address; an extra (``scale``)."""

import asyncio
import logging

import kdlab

_KNOCK_SECONDS = 5.0


def connect(address: str):
    """Return a client of the scheduler at an address, all of whose machines have this kdlab.

    Raises:
        ValueError: ``address`` is none, or distributed isn't installed.
        OSError: No scheduler answers there, or a machine of it can't work for us.
    """
    try:
        from distributed import Client
    except ImportError:
        told = "scheduler needs dask's distributed, which isn't installed: pip install distributed"
        raise ValueError(told) from None
    _find(address)
    # Of lost workers and of a lost scheduler we tell ourselves, in a sentence.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    client = Client(address, set_as_default=False)
    try:
        _check_versions(client, address)
    except BaseException:
        client.close()
        raise
    return client


def _find(address: str) -> None:
    """Say soon that nobody answers; a client takes half a minute and leaves a traceback."""
    try:
        asyncio.run(_knock(address))
    except ValueError:
        told = "scheduler must be an address such as tcp://127.0.0.1:8786"
        raise ValueError(f"{told}, got {address}") from None
    except OSError as error:
        raise OSError(f"no scheduler answers at {address} ({error})") from None


def _check_versions(client, address: str) -> None:
    """Ask each machine for its kdlab; by a built-in: ours can't be loaded where there is none."""
    ask = "__import__('kdlab').__version__"
    try:
        found = [client.run_on_scheduler(eval, ask), *client.run(eval, ask).values()]
    except Exception as error:
        raise unfit(address, error) from None
    if other := set(found) - {kdlab.__version__}:
        raise unfit(address, f"kdlab {other.pop()} is there, here is {kdlab.__version__}")


def unfit(address: str, why: object) -> OSError:
    said = f"a machine of the cluster at {address} can't work for us: {why}"
    return OSError(f"{said}; install the same kdlab on each")


async def _knock(address: str) -> None:
    from distributed.comm import connect
    from distributed.security import Security

    settings = Security().get_connection_args("client")
    comm = await connect(address, timeout=_KNOCK_SECONDS, **settings)
    await comm.close()
