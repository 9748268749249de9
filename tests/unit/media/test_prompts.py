"""Prompts: what is complained about, and what is made of them."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from ari_app.domain.ivr.prompts import stem
from ari_app.media import prompts
from ari_app.media.prompts import PromptError, checker, prepare, resample, sounds_in

Record = Callable[..., Path]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes a recording."""

    def write(name: str, rate: int = 8000, channels: int = 1, width: int = 2, level: int = 1) -> Path:
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setparams((channels, width, rate, 0, "NONE", ""))
            file.writeframes(bytes([level, 0]) * 400)
        return path

    return write


# Checks


def test_sounds_are_those_of_the_english_folders_named_as_asterisk_names_them(tmp_path: Path) -> None:
    for name in ("en_US_f_Allison/digits/1.wav", "en/custom.gsm", "fr/bonjour.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "en_GB").symlink_to("/nowhere")
    assert sounds_in(tmp_path) == {"digits/1", "custom"}


def test_a_sound_is_complained_about_unless_asterisk_has_it(tmp_path: Path) -> None:
    complain = checker(tmp_path, lambda: {"vm-goodbye"})
    assert complain("sound:vm-goodbye") is None
    assert complain("sound:vm-godbye") == "Asterisk has no sound named vm-godbye"


def test_asterisk_is_asked_for_its_sounds_once_and_only_when_one_is_named(tmp_path: Path) -> None:
    asked = []
    complain = checker(tmp_path, lambda: asked.append(1) or {"a"})
    complain("tts:Hello.")
    assert asked == []
    complain("sound:a")
    complain("sound:b")
    assert asked == [1]


def test_a_recording_fit_for_the_telephone_is_not_complained_about(tmp_path: Path, record: Record) -> None:
    record("welcome.wav")
    assert checker(tmp_path)("file:welcome.wav") is None


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"rate": 44_100}, "has 44100 Hz, 1 channel, 16-bit; expected 8000 Hz, mono, 16-bit, such as `sox"),
        ({"channels": 2}, "has 8000 Hz, 2 channels, 16-bit;"),
        ({"width": 1}, "has 8000 Hz, 1 channel, 8-bit;"),
    ],
)
def test_a_recording_of_another_form_is_named_with_its_form(
    tmp_path: Path, record: Record, form: dict[str, int], told: str
) -> None:
    record("welcome.wav", **form)
    complaint = checker(tmp_path)("file:welcome.wav")
    assert complaint is not None
    assert told in complaint


def test_a_file_that_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "welcome.wav").write_text("hello")
    complaint = checker(tmp_path)("file:welcome.wav")
    assert complaint is not None
    assert "is not a PCM WAV file" in complaint


# Making ready


def test_a_recording_is_copied_and_copied_again_only_when_it_changed(tmp_path: Path, record: Record) -> None:
    source, folder = record("welcome.wav"), tmp_path / "prompts"
    copy = folder / f"{stem('file:welcome.wav')}.wav"
    assert prepare(["file:welcome.wav"], tmp_path, folder) == ["file:welcome.wav"]
    assert copy.read_bytes() == source.read_bytes()
    assert prepare(["file:welcome.wav"], tmp_path, folder) == []
    record("welcome.wav", level=2)
    assert prepare(["file:welcome.wav"], tmp_path, folder) == ["file:welcome.wav"]
    assert copy.read_bytes() == source.read_bytes()


def test_asterisks_sounds_are_left_where_they_are(tmp_path: Path) -> None:
    assert prepare(["sound:vm-goodbye"], tmp_path, tmp_path / "prompts") == []


@pytest.mark.parametrize("program", ["flite", "espeak-ng"])
def test_text_is_rendered_once_for_the_telephone(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "speech_program", lambda: program)
    text = 'tts:Please hold the line; `echo` $(no) -commands "run" here.'
    assert prepare([text], tmp_path, tmp_path / "prompts") == [text]
    [made] = (tmp_path / "prompts").iterdir()
    assert made.name == f"{stem(text)}.wav"
    assert made.stat().st_mode & 0o777 == 0o644
    with wave.open(str(made)) as speech:
        assert (speech.getframerate(), speech.getnchannels(), speech.getsampwidth()) == (8000, 1, 2)
        assert 1.5 < speech.getnframes() / 8000 < 12
        assert max(array("h", speech.readframes(speech.getnframes()))) > 2_000
    assert prepare([text], tmp_path, tmp_path / "prompts") == []


def test_without_a_speech_program_the_prompt_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "speech_program", lambda: None)
    with pytest.raises(PromptError, match=r'"tts:Hello\.": neither flite nor espeak-ng is installed'):
        prepare(["tts:Hello."], tmp_path, tmp_path / "prompts")


def test_a_speech_program_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "speech_program", lambda: "/bin/false")
    with pytest.raises(PromptError, match="with /bin/false"):
        prepare(["tts:Hello."], tmp_path, tmp_path / "prompts")
    assert list((tmp_path / "prompts").iterdir()) == []


# Resampling


def tone(hertz: int, rate: int) -> array[int]:
    """A second of a tone."""
    return array("h", (round(10_000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(rate)))


def loudness(samples: array[int]) -> float:
    """The root of the mean square, without the ends."""
    middle = samples[500:-500]
    return math.sqrt(sum(sample * sample for sample in middle) / len(middle))


@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_speech_is_resampled_as_it_is(rate: int) -> None:
    resampled, wanted = resample(tone(1_000, rate), rate), tone(1_000, 8_000)
    assert len(resampled) == 8_000
    error = array("h", (a - b for a, b in zip(resampled, wanted, strict=True)))
    assert loudness(error) < 0.02 * loudness(wanted)


def test_what_a_telephone_cannot_carry_is_filtered_out_and_not_folded_down() -> None:
    assert loudness(resample(tone(6_000, 16_000), 16_000)) < 0.01 * loudness(tone(1_000, 8_000))


def test_samples_of_the_right_rate_stay_as_they_are() -> None:
    assert resample(tone(1_000, 8_000), 8_000) == tone(1_000, 8_000)
