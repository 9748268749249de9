"""Prompts made ready when a marketplace is applied, so that no call ever waits for one.

A `sound:` must be installed in Asterisk. A `file:` is copied. A `tts:` text is rendered once by flite, or by espeak-ng.
The files are 8 kHz, mono, 16-bit WAV, which Asterisk plays without conversion. Each is written under another name and
then moved into place, so a call never plays half of a file.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
import wave
from array import array
from collections.abc import Callable, Collection, Iterable
from functools import cache, partial
from operator import mul
from pathlib import Path

from ari_app.domain.ivr.prompts import stem
from ari_app.media import asterisk
from ari_app.settings import Settings

RATE_HZ = 8_000
RENDER_TIMEOUT_S = 60
_TAPS = 8  # of the low-pass filter, to each side, in samples of the lower rate


class PromptError(Exception):
    """A prompt cannot be prepared; the message says which, why and what to do."""


# Checks


def installed_sounds(settings: Settings) -> frozenset[str]:
    """The names of the English sounds that Asterisk has.

    They are read from its files or, if these are on another machine, asked of Asterisk. Raises AriError, SettingsError.
    """
    root = settings.asterisk_root
    if not settings.external and root is not None and root.is_dir():
        return sounds_in(root / "usr/share/asterisk/sounds")
    return frozenset(sound["id"] for sound in asterisk.ask(settings, lambda client: client.sounds.list()))


def sounds_in(folder: Path) -> frozenset[str]:
    """The sounds in one of Asterisk's folders: those of its `en*` sub-folders, with the names that Asterisk uses."""
    return frozenset(
        str(file.relative_to(language).with_suffix(""))
        for language in folder.glob("en*")
        if language.is_dir()
        for file in language.rglob("*.*")
    )


def checker(base: Path, sounds: Callable[[], Collection[str]] | None = None) -> Callable[[str], str | None]:
    """Makes a function that returns why a prompt cannot be played, or None.

    `file:` prompts are relative to `base`. `sounds` is called at most once, for the first `sound:` prompt; without it
    sounds are not checked.
    """
    known = cache(sounds) if sounds else None

    def complain(prompt: str) -> str | None:
        kind, _, name = prompt.partition(":")
        if kind == "sound":
            return None if known is None or name in known() else f"Asterisk has no sound named {name}"
        if kind == "file":
            return complaint_about_file(base / name)
        return None

    return complain


def complaint_about_file(path: Path) -> str | None:
    """What is wrong with an operator's audio file, or None."""
    try:
        with wave.open(str(path)) as recording:
            rate, channels, width = (
                recording.getframerate(),
                recording.getnchannels(),
                recording.getsampwidth(),
            )
    except OSError as error:
        return f"cannot read {path} ({error.strerror})"
    except (wave.Error, EOFError) as error:
        return f"{path} is not a PCM WAV file ({error}); expected 8 kHz, mono, 16-bit"
    if (rate, channels, width) != (RATE_HZ, 1, 2):
        return (
            f"{path} has {rate} Hz, {channels} channel{'s' * (channels > 1)}, {8 * width}-bit; expected "
            f"8000 Hz, mono, 16-bit, such as `sox {path.name} -r 8000 -c 1 -b 16 {path.stem}-8k.wav` makes"
        )
    return None


# Making ready


def unready(prompts: Iterable[str], base: Path, folder: Path) -> list[str]:
    """The `tts:` and `file:` prompts that `prepare` would render or copy."""

    def is_ready(prompt: str) -> bool:
        kind, _, content = prompt.partition(":")
        path = folder / f"{stem(prompt)}.wav"
        return kind == "sound" or (path.exists() if kind == "tts" else _same(base / content, path))

    return [prompt for prompt in sorted(prompts) if not is_ready(prompt)]


def prepare(prompts: Iterable[str], base: Path, folder: Path) -> list[str]:
    """Puts every `tts:` and `file:` prompt into `folder`; returns those that it rendered or copied.

    A text is rendered once, and its file is kept. Raises PromptError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = unready(prompts, base, folder)
    for prompt in made:
        kind, _, content = prompt.partition(":")
        make = partial(_speak, content) if kind == "tts" else partial(_copy, base / content)
        _write(folder / f"{stem(prompt)}.wav", make)
    return made


def _write(path: Path, make: Callable[[Path], None]) -> None:
    """Has a file made beside `path`, readable by Asterisk's user, then moves it to `path`."""
    with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as folder:
        part = Path(folder) / path.name
        make(part)
        part.chmod(0o644)
        part.replace(path)


def _same(source: Path, path: Path) -> bool:
    return path.exists() and path.read_bytes() == source.read_bytes()


def _copy(source: Path, part: Path) -> None:
    try:
        shutil.copyfile(source, part)
    except OSError as error:
        raise PromptError(f"cannot copy {source}: {error.strerror}") from error


# Speech


def speech_program(which: Callable[[str], str | None] = shutil.which) -> str | None:
    """The program that renders text: flite, else espeak-ng, else None."""
    return which("flite") or which("espeak-ng")


def _speak(text: str, part: Path) -> None:
    """Renders text. The text is passed in a file, so nothing in it can be read as an option or a command."""
    program = speech_program()
    if program is None:
        raise PromptError(f'cannot render "tts:{text}": neither flite nor espeak-ng is installed')
    script = part.with_suffix(".txt")
    script.write_text(text)
    if Path(program).name == "flite":
        command = [program, "-voice", "slt", "-f", str(script), "-o", str(part)]
    else:
        command = [program, "-v", "en-us", "-s", "150", "-f", str(script), "-w", str(part)]
    try:
        subprocess.run(
            command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=RENDER_TIMEOUT_S
        )
        _to_telephone(part)
    except (OSError, subprocess.SubprocessError, wave.Error, EOFError) as error:
        raise PromptError(f'cannot render "tts:{text}" with {program}: {error}') from error


def _to_telephone(path: Path) -> None:
    """Converts a mono 16-bit WAV file to the sample rate RATE_HZ."""
    with wave.open(str(path)) as speech:
        rate, samples = speech.getframerate(), array("h", speech.readframes(speech.getnframes()))
    if not samples:
        raise wave.Error("it is empty")
    with wave.open(str(path), "wb") as speech:
        speech.setnchannels(1)
        speech.setsampwidth(2)
        speech.setframerate(RATE_HZ)
        speech.writeframes(resample(samples, rate).tobytes())


def resample(samples: array[int], rate_hz: int) -> array[int]:
    """The samples converted to RATE_HZ by a windowed sinc; frequencies above half of RATE_HZ are filtered out."""
    if rate_hz == RATE_HZ:
        return samples
    half = math.ceil(_TAPS * rate_hz / RATE_HZ)
    padded = array("h", bytes(2 * half)) + samples + array("h", bytes(2 * (half + 1)))

    @cache
    def weights(phase: int) -> list[float]:
        """For a point `phase`/RATE_HZ samples after a sample: one weight for each sample around it."""
        distances = [(n - half - phase / RATE_HZ) * RATE_HZ / rate_hz for n in range(2 * half + 1)]
        raw = [_sinc(x) * (0.5 + 0.5 * math.cos(math.pi * min(abs(x) / _TAPS, 1))) for x in distances]
        return [weight / sum(raw) for weight in raw]

    resampled = array("h")
    for n in range(len(samples) * RATE_HZ // rate_hz):
        first, phase = divmod(n * rate_hz, RATE_HZ)
        around = padded[first : first + 2 * half + 1]
        value = sum(map(mul, around, weights(phase)))
        resampled.append(max(-32_768, min(32_767, round(value))))
    return resampled


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0
