"""Steps that turn speech into text and text into speech."""

import io
import re
import wave
from concurrent.futures import ThreadPoolExecutor

from .catalog.budget import check_budget
from .catalog.pricing import cost, cost_fields, prefetch
from .client import TogetherError, call, operation, prepare, upload
from .client.request import Request
from .subtitles import cut_text, subtitles

FILE = {"type": "string", "format": "binary", "x-file": "uri"}
TRANSCRIBE = operation(
    "POST",
    "/v1/audio/transcriptions",
    "inference",
    content="multipart",
    body={"type": "object", "properties": {"file": FILE}},
)
SPEAK = operation(
    "POST",
    "/v1/audio/speech",
    "inference",
    accept="application/octet-stream",
    reply="binary",
)
VOICES = operation("GET", "/v1/voices", "read")

# Characters that go into one request: long enough for whole paragraphs, short enough
# for every model's limit and for a voice that keeps its tone.
PIECE = 1500
AT_ONCE = 4
TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}


def transcribe_recording(auth, step, **arguments):
    """Write down what is said in a recording, with subtitles.

    Returns {"text", "segments": [{"start", "end" in seconds, "text", "speaker"?}],
    "srt", "vtt", "language", "duration" in seconds, "model", "cost_usd"}. Raises
    TogetherError.
    """
    given = prepare(step, arguments)
    body = {
        "model": given["model"],
        "response_format": "verbose_json",
        "timestamp_granularities": ["segment", "word"],
        "file": given["recording"],
    }
    for name in ("language", "prompt"):
        if name in given:
            body[name] = given[name]
    if given.get("speakers"):
        body["diarize"] = True
    prefetch(auth)
    answer = upload(auth, TRANSCRIBE, body=body)
    segments = _segments(answer)
    duration = answer.get("duration")
    usd, note = cost(auth, given["model"], {"seconds": duration})
    return {
        "text": answer.get("text") or "",
        "segments": segments,
        "srt": subtitles(segments, "srt"),
        "vtt": subtitles(segments, "vtt"),
        "language": answer.get("language"),
        "duration": duration,
        "model": given["model"],
        **cost_fields(usd, note),
    }


def _segments(answer):
    """Return the segments of an answer, those that name speakers where there are."""
    found = answer.get("speaker_segments") or answer.get("segments") or []
    segments = []
    for part in found:
        segment = {
            "start": part.get("start"),
            "end": part.get("end"),
            "text": str(part.get("text") or "").strip(),
        }
        if part.get("speaker_id") is not None:
            segment["speaker"] = part["speaker_id"]
        segments.append(segment)
    if not segments and answer.get("text"):
        whole = {"start": 0.0, "end": answer.get("duration"), "text": answer["text"]}
        segments.append(whole)
    return segments


def speak_text(auth, step, **arguments):
    """Read a text of any length aloud, as one file.

    A long text is cut at its sentences, spoken in parts and joined. Returns the members
    that show or hold the sound ({"file" or "s3", "filename"}) and {"model", "voice",
    "parts", "characters", "cost_usd"}. Raises TogetherError, before anything is sent
    when the text may cost more than budget_usd.
    """
    from .transfer.media_output import deliver  # only where bytes are brought
    from .workspace.storage import place_for  # only where objects are stored

    given = prepare(step, arguments)
    texts = sentences(given["text"], PIECE)
    if not texts:
        raise TogetherError.refused("text", "holds no word")
    used = {"characters": sum(map(len, texts))}
    if "budget_usd" in given:
        may_cost = cost(auth, given["model"], used)
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

    def one(numbered):
        number, text = numbered
        try:
            return _spoken(auth, {**body, "input": text})
        except TogetherError as error:
            error.part = number
            raise

    with ThreadPoolExecutor(min(AT_ONCE, len(texts))) as pool:
        spoken = list(pool.map(one, enumerate(texts, 1)))
    sound = joined(spoken, given["format"])
    usd, note = cost(auth, given["model"], used)
    name = f"speech.{given['format']}"
    kind = TYPES.get(given["format"], "")
    return {
        **deliver(sound, name, given["output"], kind, paid=True),
        "model": given["model"],
        "voice": voice,
        "parts": len(texts),
        **used,
        **cost_fields(usd, note),
    }


def _spoken(auth, body):
    """Return the bytes that one request brings."""
    return Request(auth, SPEAK, {"body": body}).send().data


def _first_voice(auth, model):
    """Return the first voice that the service lists for a model."""
    for found in call(auth, VOICES).get("data") or ():
        if found.get("model") == model and found.get("voices"):
            first = found["voices"][0]
            return first.get("id") or first.get("name")
    raise TogetherError.refused(
        "voice",
        f"is required: the service lists no voices of {model}",
        advice="audio/list_voices shows the voices of all models.",
    )


def sentences(text, most):
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


def joined(parts, kind):
    """Return sound files of one kind as one file.

    MP3 is a row of frames and raw is samples: both can follow one another; WAV has one
    header for all. Raises TogetherError for WAV files that differ in their format.
    """
    if len(parts) == 1:
        return parts[0]
    if kind == "mp3":
        return parts[0] + b"".join(map(_frames, parts[1:]))
    if kind != "wav":
        return b"".join(parts)
    buffer, form = io.BytesIO(), None
    with wave.open(buffer, "wb") as whole:
        for number, part in enumerate(parts, 1):
            with wave.open(io.BytesIO(part)) as file:
                own = file.getnchannels(), file.getsampwidth(), file.getframerate()
                if form is None:
                    form = own
                    whole.setnchannels(own[0])
                    whole.setsampwidth(own[1])
                    whole.setframerate(own[2])
                elif form != own:
                    raise TogetherError(
                        f"The spoken parts cannot be joined: part {number} is "
                        f"{own}, the first {form} (channels, bytes, rate). Take mp3.",
                        ambiguous=False,
                    )
                whole.writeframes(file.readframes(file.getnframes()))
    return buffer.getvalue()


def _frames(data):
    """Return an MP3 without its ID3v2 tag. https://id3.org/id3v2.4.0-structure"""
    if data[:3] != b"ID3" or len(data) < 10:
        return data
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return data[10 + size :]
