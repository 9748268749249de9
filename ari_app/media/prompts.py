"""Prompts made ready when a marketplace is applied, so that no call ever waits for one.

`sound:` must be installed in Asterisk; `file:` is copied; `tts:` is rendered once by flite, or by
espeak-ng. Files are 8 kHz, mono, 16-bit WAV, what Asterisk plays without work, and are written
beside and moved into place, so a call never hears half of one.
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
    """A prompt cannot be made ready; the message says which, why and what to do."""


# Checks


def installed_sounds(settings: Settings) -> frozenset[str]:
    """The names of the English sounds that Asterisk has, from its files or, where those are elsewhere,
    from Asterisk. Raises AriError, and SettingsError."""
    root = settings.asterisk_root
    if not settings.external and root is not None and root.is_dir():
        return sounds_in(root / "usr/share/asterisk/sounds")
    return frozenset(sound["id"] for sound in asterisk.ask(settings, lambda client: client.sounds.list()))


def sounds_in(folder: Path) -> frozenset[str]:
    """The sounds in a folder of Asterisk's: those of its `en*` sub-folders, named as Asterisk does."""
    return frozenset(
        str(file.relative_to(language).with_suffix(""))
        for language in folder.glob("en*")
        if language.is_dir()
        for file in language.rglob("*.*")
    )


def checker(base: Path, sounds: Callable[[], Collection[str]] | None = None) -> Callable[[str], str | None]:
    """A function that complains about a prompt that cannot be played, or answers None.

    `file:` prompts are relative to `base`. `sounds` is asked once, and only when a sound is named;
    without it sounds are not checked.
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
    """What is wrong with an operator's recording, or None."""
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
    """The `tts:` and `file:` prompts that `prepare` would render or copy anew."""

    def is_ready(prompt: str) -> bool:
        kind, _, content = prompt.partition(":")
        path = folder / f"{stem(prompt)}.wav"
        return kind == "sound" or (path.exists() if kind == "tts" else _same(base / content, path))

    return [prompt for prompt in sorted(prompts) if not is_ready(prompt)]


def prepare(prompts: Iterable[str], base: Path, folder: Path) -> list[str]:
    """Puts every `tts:` and `file:` prompt into `folder`; those rendered or copied anew.

    Text is rendered once and kept. Raises PromptError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = unready(prompts, base, folder)
    for prompt in made:
        kind, _, content = prompt.partition(":")
        make = partial(_speak, content) if kind == "tts" else partial(_copy, base / content)
        _write(folder / f"{stem(prompt)}.wav", make)
    return made


def _write(path: Path, make: Callable[[Path], None]) -> None:
    """Has a file made beside `path`, readable by Asterisk's user, and moves it there."""
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
    """Renders text. It goes through a file, so that nothing in it is ever an option or a command."""
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
    """Makes a mono 16-bit WAV file's rate RATE_HZ."""
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
    """The samples at RATE_HZ, by a windowed sinc; what is above half of RATE_HZ is filtered out."""
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
