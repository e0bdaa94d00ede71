"""Recordings, as a person has them."""

import io
import wave


def wav(samples: bytes, rate: int = 16000, channels: int = 1, width: int = 2) -> bytes:
    """A WAV file of samples; `rate` in Hz, `width` in bytes."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples)
    return buffer.getvalue()
