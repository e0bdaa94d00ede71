"""Steps that turn speech into text and text into speech."""

from __future__ import annotations

import base64
import re
import struct
from concurrent.futures import ThreadPoolExecutor

from ..catalog.budget import Clock, check_budget
from ..catalog.model_choice import choose_model
from ..catalog.pricing import cost, cost_fields, most_cost, prefetch
from ..client import TogetherError, call, prepare, upload
from ..client.asked_for import listed
from ..client.job import log
from ..client.jsonio import finite
from ..client.request import Request
from ..operations import operation
from ..transfer.file_input import check_media, open_file, url_of
from ..transfer.filetypes import suffix
from ..transfer.media_checks import judge_media
from ..transfer.media_output import deliver, with_notes
from .mp3_frames import joined_frames
from .subtitle_files import cut_text, subtitles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..shapes import Auth, Json, Members, Step


# Gateways answer with the bare text, too, which is paid for all the same.
TRANSCRIBE = operation("audio/create_transcription", reply="text")
SPEAK = operation("audio/create_speech")
VOICES = operation("audio/list_voices")

# Characters that go into one request: long enough for whole paragraphs, short enough
# for every model's limit and for a voice that keeps its tone.
PIECE = 1500
AT_ONCE = 4
TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}
ENDLESS = ("raw", "pcm", "mulaw", "alaw")  # bare samples: no first bytes tell them
LONGEST_SECONDS = 1e7
LONGEST_RECORDING = 4 * 3600  # seconds that the service takes


def transcribe_recording(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Write down what is said in a recording, with subtitles.

    Returns {"text", "segments": [{"start", "end" in seconds, "text", "speaker"?}],
    "srt", "vtt", "language", "duration" in seconds, "model", "cost_usd"}; "note" where
    nothing was heard, and where there are no times, and so no subtitles, or not of all
    words. Raises TogetherError.
    """
    given = prepare(step, arguments)
    choose_model(auth, given, "transcription")
    return transcribed(auth, given, "recording")


def transcribed(auth: Auth, given: Members, field: str) -> Members:
    """Return what transcribe_recording does, of arguments that are checked; `field` is
    what errors call the recording. Raises TogetherError."""
    body = {
        "model": given["model"],
        "response_format": "verbose_json",
        "timestamp_granularities": ["segment", "word"],
        "file": given["recording"],
    }
    if not url_of(body["file"], field):  # so that errors name the step's field
        body["file"] = open_file(body["file"], field, auth)
        check_media(body["file"], field, "audio", "video")
    for name in ("language", "prompt"):
        if name in given:
            body[name] = given[name]
    if given.get("speakers"):
        body["diarize"] = True
    prefetch(auth)
    answer = upload(auth, TRANSCRIBE, body=body)
    answer = {"text": answer} if isinstance(answer, str) else answer
    segments = _segments(answer) if isinstance(answer, dict) else []
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(text, str) or not text.strip():
        if not isinstance(text, str) and not segments:
            raise TogetherError(
                "The answer holds no text of the recording.",
                type="invalid_answer",
                partial=answer,
                advice="Run the step again, or choose another model.",
            )
        text = " ".join(segment["text"] for segment in segments)
    duration = _seconds(answer.get("duration"))
    usd, note = cost(auth, given["model"], {"seconds": duration})
    timeless = any(one["text"] for one in segments) and all(
        one["end"] is None for one in segments
    )
    noted = ""
    if not text.strip():
        noted = "The service heard no words in the recording."
    elif timeless:
        noted = "The answer has no times: there are no subtitles."
    elif _letters(" ".join(one["text"] for one in segments)) < 0.9 * _letters(text):
        noted = "The subtitles lack words that the text has."
    return {
        "text": text,
        **({"note": noted} if noted else {}),
        "segments": segments,
        "srt": subtitles(segments, "srt"),
        "vtt": subtitles(segments, "vtt"),
        "language": answer.get("language"),
        "duration": duration,
        "model": given["model"],
        **cost_fields(usd, note),
    }


def dialogue(said: Members) -> str:
    """Return what is said in a recording, each piece behind its speaker, the first of
    whom may be 0; the text alone where no speaker is told."""
    lines = [(one.get("speaker"), one["text"]) for one in said["segments"]]
    if all(who is None for who, _ in lines):
        return said["text"]
    named = [("unknown" if who in (None, "") else who, words) for who, words in lines]
    return "\n".join(f"{who}: {words}" for who, words in named)


def _letters(text: str) -> int:
    """Return how many letters and digits a text has."""
    return sum(map(str.isalnum, text))


def _segments(answer: Members) -> list[Members]:
    """Return the segments of an answer, those that name speakers where there are; one
    of all that was said where none has words."""
    for name in ("speaker_segments", "segments"):
        segments = _segments_in(answer.get(name))
        if any(segment["text"] for segment in segments):
            return segments
    text, words = answer.get("text"), answer.get("words")
    if not isinstance(text, str) or not text.strip():
        text = " ".join(part["text"] for part in _segments_in(words) if part["text"])
    if not text:
        return []
    end = _seconds(answer.get("duration")) or _last_word(words)
    return [{"start": 0.0, "end": end, "text": text}]


def _segments_in(found: Json) -> list[Members]:
    """Return the segments of a list of them, or of words."""
    segments = []
    for part in found if isinstance(found, list) else [found] if found else []:
        part = part if isinstance(part, dict) else {"text": part}
        segment = {
            "start": _seconds(part.get("start")),
            "end": _seconds(part.get("end")),
            "text": str(part.get("text") or part.get("word") or "").strip(),
        }
        if part.get("speaker_id") is not None:
            segment["speaker"] = part["speaker_id"]
        segments.append(segment)
    return segments


def _last_word(words: Json) -> float | None:
    """Return when the last word ends, None where no word says it."""
    found = words if isinstance(words, list) else []
    ends = [_seconds(one.get("end")) for one in found if isinstance(one, dict)]
    return max((end for end in ends if end is not None), default=None)


def _seconds(value: Json) -> float | None:
    """Return a time of the recording, None for what is none."""
    number = finite(value)
    return number if number is not None and 0 <= number < LONGEST_SECONDS else None


def speak_text(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Read a text of any length aloud, as one file.

    A long text is cut at its sentences, spoken in parts and joined. Returns the members
    that show or hold the sound ({"file" or "s3", "filename"}), "note" where it came in
    another format than was asked for, and {"model", "voice",
    "parts", "characters", "cost_usd"}. Raises TogetherError, before anything is sent
    when the text may cost more than budget_usd.
    """
    from ..workspace.storage import place_for  # only where bytes are brought

    given = prepare(step, arguments)
    choose_model(auth, given, "speech")
    texts = sentences(given["text"], PIECE)
    if not texts:
        raise TogetherError.refused("text", "holds no word")
    used = {"characters": sum(map(len, texts))}
    if "budget_usd" in given:
        may_cost = most_cost(auth, given["model"], used)
        check_budget(given["budget_usd"], *may_cost, "the sound")
    place_for(given["output"], "result")
    voice = given.get("voice") or _first_voice(auth, given["model"])
    body = {
        "model": given["model"],
        "voice": voice,
        "response_format": given["format"],
    }
    if given.get("language"):
        body["language"] = given["language"]
    prefetch(auth)

    clock = Clock(given.get("stop_after_seconds"))
    spoken = _speak_all(auth, body, texts, clock)
    form = _form(spoken, given["format"])
    sound = joined(spoken, form)
    usd, note = cost(auth, given["model"], used)
    brought = deliver(
        sound, f"speech.{form}", given["output"], TYPES.get(form, ""), paid=True
    )
    if form != given["format"]:
        words = f"The service sent {form}, not {given['format']}."
        log(words)
        brought = with_notes(brought, [words])
    return {
        **brought,
        "model": given["model"],
        "voice": voice,
        "parts": len(texts),
        **used,
        **cost_fields(usd, note),
    }


def _speak_all(
    auth: Auth, body: Members, texts: list[str], clock: Clock
) -> list[bytes]:
    """Return the sound of each text. When one fails, what has not begun is left, and
    the error's `partial` holds what was spoken."""
    spoken, failed = [], None
    with ThreadPoolExecutor(min(AT_ONCE, len(texts))) as pool:
        asked = [
            pool.submit(_speak, auth, {**body, "input": text}, clock) for text in texts
        ]
        for number, future in enumerate(asked, 1):
            try:
                if not future.cancelled():
                    spoken.append((number, future.result()))
            except TogetherError as error:
                failed = failed or error
                error.part = number
                for other in asked:
                    other.cancel()
    if failed and spoken:
        failed.partial = _parts_as_files(spoken, body["response_format"])
    if failed:
        raise failed
    return [data for _, data in spoken]


def _speak(auth: Auth, body: Members, clock: Clock) -> bytes:
    """Return the bytes that one request brings."""
    clock.check()
    request = Request(auth, SPEAK, {"body": body})
    reply = request.send()
    judge_media(request, reply)
    return reply.data


def _first_voice(auth: Auth, model: str) -> str:
    """Return the first voice that the service lists for a model."""
    for found in listed(call(auth, VOICES)):
        voices = found.get("voices") if found.get("model") == model else None
        for voice in voices if isinstance(voices, list) else ():
            names = [voice]
            if isinstance(voice, dict):
                names = [voice.get("id"), voice.get("name")]
            if name := next((n for n in names if isinstance(n, str) and n), None):
                return name
    raise TogetherError.refused(
        "voice",
        f"is required: the service lists no voices of {model}",
        advice="audio/list_voices shows the voices of all models.",
    )


def sentences(text: str, most: int) -> list[str]:
    """Return a text in pieces of at most so many characters that end where sentences
    do, or else between words."""
    pieces, piece = [], ""
    for sentence in SENTENCE.split(text.strip()):
        for part in [sentence] if len(sentence) <= most else cut_text(sentence, most):
            gap = "" if piece[-1:] in FULL_STOPS else " "
            if piece and len(piece) + len(gap) + len(part) > most:
                pieces.append(piece)
                piece = part
            elif part:
                piece = f"{piece}{gap}{part}" if piece else part
    return [*pieces, piece] if piece else pieces


# The stop stays with its sentence; a line break ends one too. Chinese and Japanese have
# no blank behind a stop, and what closes a quotation belongs to the sentence.
FULL_STOPS = ("\u3002", "\uff01", "\uff1f", "\u300d", "\u300f")
_STOP, _CLOSE = "[\u3002\uff01\uff1f]", "[\u300d\u300f\u201d\u2019\uff09]"
SENTENCE = re.compile(
    rf"(?<=[.!?])\s+|\n+|(?<={_STOP})(?!{_STOP}|{_CLOSE})\s*|(?<={_STOP}{_CLOSE})\s*"
)


def _form(parts: list[bytes], asked: str) -> str:
    """Return the format in which sound came, by its first bytes: that of all parts
    where they have one, else the one that was asked for. Some models know one alone."""
    if asked in ENDLESS:
        return asked
    came = {suffix(part[:16])[1:] for part in parts}
    form = came.pop()
    return form if form and not came else asked


def joined(parts: list[bytes], kind: str) -> bytes:
    """Return sound files of one kind as one file.

    MP3 is a row of frames and raw is samples: both can follow one another; WAV has one
    header for all, whatever its samples are. Raises TogetherError, with the parts in
    its `partial`, for files that differ in their format, or are of another.
    """
    if len(parts) == 1:
        return parts[0]
    if kind == "mp3":
        for number, part in enumerate(parts, 1):
            if suffix(part[:16]) not in ("", ".mp3"):
                raise _apart(parts, kind, f"part {number} is no MP3 file")
        return joined_frames(parts)
    if kind in ENDLESS:
        return b"".join(parts)
    if kind != "wav":
        raise _apart(parts, kind, f"they are {kind} files")
    form, samples = b"", []
    for number, part in enumerate(parts, 1):
        try:
            own, data = _wave(part)
        except (ValueError, struct.error):
            words = f"part {number} is no WAV file"
        else:
            # Some programs write an empty extension behind the first 16 bytes.
            if not form or (own[:16], own[18:]) == (form[:16], form[18:]):
                form = form or own
                samples.append(data)
                continue
            words = f"part {number} has another format than the first"
        raise _apart(parts, kind, words)
    data = b"".join(samples)
    chunks = [(b"fmt ", form), (b"data", data)]
    if form[:2] != b"\1\0":  # what is no PCM tells its number of frames
        frames = len(data) // max(1, struct.unpack_from("<H", form, 12)[0])
        chunks.insert(1, (b"fact", struct.pack("<I", frames)))
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def _apart(parts: list[bytes], kind: str, words: str) -> TogetherError:
    """Return the error for parts that cannot be joined; they are in its `partial`."""
    other = "wav" if kind == "mp3" else "mp3"
    return TogetherError(
        f"The spoken parts cannot be joined: {words}. Take {other}.",
        type="parts_differ",
        partial=_parts_as_files(enumerate(parts, 1), kind),
        advice=f"The parts are in the error's `partial`; ask for {other} next time.",
        ambiguous=False,
    )


def _wave(data: bytes) -> tuple[bytes, bytes]:
    """Return the format and the samples of a WAV file, or raise ValueError.

    https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
    """
    form, place = None, 12
    while data[:4] == b"RIFF" and data[8:12] == b"WAVE" and place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        content = data[place + 8 : place + 8 + size]
        if name == b"fmt " and len(content) >= 16:
            form = content
        if name == b"data" and form:
            # Who writes it while it is made does not know how long it will be.
            content = content or data[place + 8 :]
            frame = max(1, struct.unpack_from("<H", form, 12)[0])
            return form, content[: len(content) // frame * frame]
        place += 8 + size + size % 2
    raise ValueError


def _parts_as_files(numbered: Iterable[tuple[int, bytes]], kind: str) -> Members:
    """Return the spoken parts, which are paid for, as files of a result."""
    return {
        "parts": [
            {
                "file": base64.b64encode(data).decode(),
                "filename": f"speech-{number}{suffix(data[:16]) or f'.{kind}'}",
            }
            for number, data in numbered
        ]
    }
