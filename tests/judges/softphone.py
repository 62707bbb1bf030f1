"""baresip, a real softphone, without a sound card: it plays one file and records what it hears."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from telephony.audio.wav import read_mono

# sndfile records what goes through it; aubridge plays to nobody. Without net_interface it would
# offer the address of some other network than this machine's own.
CONFIG = """\
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aufile,{said}
audio_player aubridge,nobody
audio_alert aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
snd_path {folder}
"""
ACCOUNT = "<sip:caller@127.0.0.1>;regint=0;audio_codecs=PCMU\n"


class Softphone:
    """A call that baresip makes.

    Args:
        folder: Where its configuration and its recordings are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def heard(self) -> tuple[bytes, int]:
        """What was heard, PCM16, mono, and its rate in Hz. Once the call is over."""
        [recording] = self._folder.glob("dump-*-dec.wav")
        return read_mono(recording)


@asynccontextmanager
async def dialling(program: str, uri: str, said: Path, folder: Path) -> AsyncIterator[Softphone]:
    """Dial. Leaving ends the program, and what it heard can be read.

    Args:
        program: The path of baresip.
        uri: Whom to call.
        said: A WAV file to play: PCM16, mono, 8 kHz.
        folder: An empty one, for its files.
    """
    config = CONFIG.format(said=said, modules=_modules(program), folder=folder)
    (folder / "config").write_text(config, encoding="utf-8")
    (folder / "accounts").write_text(ACCOUNT, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        program, "-4", "-f", str(folder), "-e", f"/dial {uri}", stdin=DEVNULL, stdout=DEVNULL
    )
    try:
        yield Softphone(folder)
    finally:
        process.terminate()  # it then writes its recordings to their ends
        await process.wait()


def _modules(program: str) -> Path:
    """Where its modules are: beside its bin."""
    return Path(program).resolve().parents[1] / "lib" / "baresip" / "modules"
