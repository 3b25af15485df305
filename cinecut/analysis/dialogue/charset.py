"""Bytes of unknown origin become text, and the text's language is told.

>>> decode("Nie wiem, co się stało.".encode("cp1250"))
Decoded(text='Nie wiem, co się stało.', encoding='cp1250', language='pl')

Order of trial: byte-order marks, UTF-16 without a mark (its zero bytes), UTF-8, and then each legacy encoding judged by
what it makes of the text: the letters must be letters of one language, and the words its most frequent ones.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str
    language: str | None  # ISO 639-1, where the words tell it


class _Profile(NamedTuple):
    """How one language looks: the letters beyond ASCII it uses (a regex class) and its most frequent spoken words."""

    letters: str
    words: frozenset[str]
    encodings: tuple[str, ...]


_WEST = "cp1252 iso8859_15 mac_roman cp850"
_CENTRAL = "cp1250 iso8859_2 cp852 mac_latin2"
_CYRILLIC = "cp1251 koi8_r cp866 iso8859_5 mac_cyrillic"
# language: letters beyond ASCII | encodings | most frequent words of dialogue (for CJK: most frequent signs)
_TABLE = {
    "en": (
        "éèïç",
        _WEST,
        "the you i to a and it is of that in what me we this my he on your have do no for not be are",
    ),
    "de": ("äöüß", _WEST, "ich sie das ist du nicht die und es der wir was zu ein er in mir mit ja wie den auf mich"),
    "fr": (
        "éèêëàâçîïôöûùüœæÿ",
        _WEST,
        "je de est pas le vous la tu que un il et à ne les ce en on ça une des elle pour",
    ),
    "es": ("áéíóúüñ¡¿", _WEST, "que de no a la el y es en lo un por qué me una te los se con para mi está si bien yo"),
    "it": ("àèéìíîòóù", _WEST, "non che di è e la il un a per in mi sono ho lo ma ti una cosa con si le ha no da"),
    "pt": (
        "áâãàçéêíóôõúü",
        _WEST,
        "que o não de a e é eu um para se uma me com do está por te os bem em ele você isso",
    ),
    "nl": ("éëïóöüè", _WEST, "ik je het de dat is een niet en wat van we in ze op te zijn er maar die heb voor met"),
    "sv": ("åäöé", _WEST, "jag det är du inte att en och har vi på i för han vad med mig som här om dig var den så"),
    "da": ("æøåé", _WEST, "jeg det er du ikke at en og har vi på i for han hvad med mig som der om dig var den så af"),
    "no": ("æøåéò", _WEST, "jeg det er du ikke å en og har vi på i for han hva med meg som her om deg var den så av"),
    "fi": ("äöå", _WEST, "on ei se en ja hän että mitä minä sinä olen mutta oli nyt niin kun hyvä vain tämä ole"),
    "pl": ("ąćęłńóśźż", _CENTRAL, "nie to się w na i z co że jest do a jak o mnie tak ale za ci ja po tu dla już"),
    "cs": ("áčďéěíňóřšťúůýž", _CENTRAL, "to je se a že na v jsem co ne si tak jak mi ale za do jsi mě by už tady jen"),
    "sk": ("áäčďéíĺľňóôŕšťúýž", _CENTRAL, "to je sa a že na v som čo nie si tak ako mi ale za do ma by už tu len sme"),
    "hu": ("áéíóöőúüű", _CENTRAL, "a az nem hogy és ez is egy van de mi meg csak én te jó mit kell el volt ha itt azt"),
    "ro": ("ăâîșțşţ", f"{_CENTRAL} iso8859_16", "nu să de o ce e a am că la în și şi un pe mai cu te din ai asta"),
    "hr": ("čćđšž", _CENTRAL, "je da ne se to u na i što sam li si za ti su a kako on od me samo ali mi nije smo"),
    "sl": ("čšž", _CENTRAL, "je da ne se to v na in kaj sem si za ti so pa kako bi od me samo ali mi ni smo bo"),
    "tr": (
        "çğıöşüâîi̇",
        "cp1254 iso8859_9 cp857 mac_turkish",
        "bir bu ne ve için çok ben sen mi var o da de değil evet hayır ama",
    ),
    "lt": ("ąčęėįšųūž", "cp1257 iso8859_13", "aš tu ir kad ne tai ką jis yra mes kaip bet į su man jie ji mane taip"),
    "lv": ("āčēģīķļņšūž", "cp1257 iso8859_13", "es tu un ka ir ne tas kas viņš mēs kā bet uz ar man tev nav par no jā"),
    "et": ("äöüõšž", "cp1257 iso8859_13", "ma on ei sa see ja et mis ta me kui aga oli siis ka mida olen nii siin"),
    "ru": ("а-яё", _CYRILLIC, "я не что и в ты это на с он как мы у а но вы мне все да меня его тебя по нет она"),
    "uk": ("а-яіїєґ", "cp1251 koi8_u", "я не що і в ти це на з він як ми у а але ви мені все так мене його тебе та ні"),
    "bg": ("а-я", _CYRILLIC, "да не се на е и в ще за си това ми аз го ти са от как ли но съм какво той че му"),
    "el": (
        "α-ωάέήίόύώϊϋΐΰς",
        "cp1253 iso8859_7 cp737 mac_greek",
        "να το δεν και θα είναι τι με σου μου για που η ο την στο από",
    ),
    "he": (
        "א-תְ-ׇּׁׂ",
        "cp1255 iso8859_8",
        "אני לא את זה אתה מה של על הוא לי כן יש אם אבל הם היא כל רק עם טוב איפה לך כבר שלי לפני",
    ),
    "ar": (
        "ء-يًٌٍَُِّْ؟،؛",
        "cp1256 iso8859_6",
        "لا أن من هذا في ما على أنا يا هل إلى أنت لقد لم كان كل نعم هذه قبل هنا عن مع ماذا أين كنت ليس قل لي",
    ),
    "fa": (
        "ء-يپچژکگیئ؟،؛\u200c",
        "cp1256",
        "که از به در را این اين است من تو با برای براي نه آن می مي نمي ما چه هم یک يک شما بود تا بر هستيم کجا",
    ),
    "th": ("ก-ฺเ-๎๐-๙", "cp874", " ".join("านรกอม")),
    "vi": (
        "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
        "cp1258",
        "không là tôi anh có và em của cô được người này đã cho mày một đi thì chúng với để về biết gì sẽ trước ta",
    ),
    "ja": (
        "ぁ-んァ-ヶー一-龯々、。・",
        "cp932 euc_jp",
        " ".join("いのたなてにとかしはるがだっをですんまもうこれそらりあえけきさくせちつねへみむめやよろわど"),
    ),
    "ko": ("가-힣", "cp949", " ".join("이는을다에가의도지고어나하아은그해요거야네한게니")),
    "zh": (
        "一-龯，。",
        "gb18030 big5",
        " ".join(
            "的一是不了我在你他有这这就们来那好要会什么个说去到大人也很都和吗没可以为上下中对能看得过还子想知道时里她"
            "這們來說麼個會嗎沒為對過還時裡從與開關無現後動發問後用使文件定法行名值字未符新成出分系"
        ),
    ),
}
_PROFILES = {
    language: _Profile(letters, frozenset(words.split()), tuple(encodings.split()))
    for language, (letters, encodings, words) in _TABLE.items()
}
_TYPOGRAPHY = frozenset("–—…‘’‚“”„«»‹›‐‑°•·©®™№€£§†×½´`¨¡¿ª、。！？「」『』，：～・《》（）\xa0\u200b")
_WORD = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_]+")  # of Thai and CJK the signs
_SAMPLE = 24_000  # bytes or characters that a judgement is made from
_ESCAPES = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$", "iso2022_jp"), (b"~{", "hz"))  # of encodings in seven bits
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> Decoded:
    """Text of `data` in whatever encoding it is; what cannot be decoded at all becomes U+FFFD. Never fails."""
    encoding = _marked(data) or _zero_bytes(data) or _escaped(data)
    if encoding is None and _is_utf8(data):
        encoding = "utf-8"
    if encoding is None:
        encoding = _best_legacy(_telling_sample(data))
    text = data.decode(encoding, errors="replace")
    return Decoded(text, encoding, language_of(text))


def language_of(text: str) -> str | None:
    """The language whose frequent words and letters `text` is made of; None for too little or something unknown."""
    sample = text if len(text) <= _SAMPLE else text[:_SAMPLE]
    looks = _Looks.of(sample)
    if looks.words.total() < 4:
        return None
    score, language = max((looks.likeness(profile), language) for language, profile in _PROFILES.items())
    return language if score > 0.25 else None


def _marked(data: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def _escaped(data: bytes) -> str | None:
    """An encoding that keeps to seven bits, and changes its alphabets by marks of their own."""
    if not data.isascii():
        return None
    for mark, encoding in _ESCAPES:
        if mark in data:
            try:
                return encoding if not data.decode(encoding).isascii() else None
            except UnicodeDecodeError:
                return None
    return None


def _zero_bytes(data: bytes) -> str | None:
    """UTF-16 without a mark: digits, spaces and line ends of any script have their zero byte on one side only."""
    head = data[:8192]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    few = len(head) // 20
    if odd > max(few, 8 * even):
        return "utf-16-le"
    if even > max(few, 8 * odd):
        return "utf-16-be"
    return None


def _is_utf8(data: bytes) -> bool:
    """UTF-8, perhaps with a few damaged places: legacy text hardly ever forms a valid sequence."""
    try:
        data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
        bad = text.count("\ufffd")
        good = sum(not char.isascii() for char in text) - bad
        return good > 4 * bad
    return True


def _telling_sample(data: bytes) -> bytes:
    """The first lines that hold bytes beyond ASCII: only they tell one encoding from another."""
    taken: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if not line.isascii():
            taken.append(line)
            size += len(line)
            if size > _SAMPLE:
                break
    return b"\n".join(taken)[: 2 * _SAMPLE]


def _best_legacy(sample: bytes) -> str:
    """The encoding in which `sample` looks most like some language; of equals the one that is listed first."""
    best, chosen = float("-inf"), "cp1252"
    for encoding, profiles in _by_encoding().items():
        looks = _Looks.of(sample.decode(encoding, errors="replace"))
        score = max(looks.likeness(profile) for profile in profiles)
        if score > best + 1e-9:
            best, chosen = score, encoding
    return chosen


@cache
def _by_encoding() -> dict[str, list[_Profile]]:
    table: dict[str, list[_Profile]] = {}
    for profile in _PROFILES.values():
        for encoding in profile.encodings:
            table.setdefault(encoding, []).append(profile)
    return table


class _Looks(NamedTuple):
    """What the scoring needs of a text: how often each word and each character beyond ASCII stands in it."""

    words: Counter[str]
    foreign: Counter[str]
    strange: float  # share of words with a capital after a small letter: the wrong code page mixes cases

    @classmethod
    def of(cls, text: str) -> _Looks:
        text = unicodedata.normalize("NFC", text)
        found = _WORD.findall(text)
        mixed = sum(_mixes_cases(word) for word in found)
        words = Counter(word.lower() for word in found)
        return cls(words, Counter(c.lower() for c in text if not c.isascii()), mixed / max(len(found), 1))

    def likeness(self, profile: _Profile) -> float:
        """Up to 2 or so: the share of frequent words, and letters (1 each) against characters out of place (-2)."""
        is_letter = _letter_class(profile.letters)
        letters = _weigh((1.0 if is_letter.match(char) else _stray(char), n) for char, n in self.foreign.items())
        common = sum(n for word, n in self.words.items() if word in profile.words)
        return letters + 3.0 * common / max(self.words.total(), 1) - self.strange


def _mixes_cases(word: str) -> bool:
    return word.lower() != word.upper() and not (word.islower() or word.isupper() or word[1:].islower())


@cache
def _letter_class(letters: str) -> re.Pattern[str]:
    return re.compile(f"[{letters}]")


def _stray(char: str) -> float:
    return 0.3 if char in _TYPOGRAPHY else -2.0


def _weigh(weighted: Iterable[tuple[float, int]]) -> float:
    pairs = list(weighted)
    return sum(weight * n for weight, n in pairs) / max(sum(n for _, n in pairs), 1)
