"""The emotion of lines, what stands alone, and what could be spoken over other pictures."""

from __future__ import annotations

from fractions import Fraction

import pytest
from effort import effort

from cinecut.analysis.dialogue.emotion import EMOTIONS, feeling, lexicon, stands_alone, voice_over, word_count

LINES = {
    "intense": """
        Get down! They're shooting at us!
        I will find you, and I will kill you.
        We're under attack! Sound the alarm!
        Nobody move, or I blow the whole place up.
        The bomb goes off in two minutes.
        Run! Don't look back, just run!
        You have no idea how dangerous he is.
        Tonight, we take back our city. Tonight, we fight.
        If we don't stop this virus, everyone on the planet is a target.
        DROP THE WEAPON!
        He's coming for us.
        This means war.
        """,
    "romantic": """
        I've been in love with you since the day we met.
        Will you marry me?
        You had my heart from the first dance, darling.
        Kiss me before I change my mind.
        I can't live without you.
        You look so beautiful tonight.
        She was the love of my life.
        I missed you every single day.
        Hold me and never let me go.
        """,
    "comedic": """
        Ha ha ha! You should see your face!
        Dude, where are my pants?
        Are you kidding me? That's a goat in the bathroom.
        I'm just kidding. It was a joke.
        Why is there a monkey in my toilet?
        You are such a dork.
        Well, that was awkward.
        Oops. My underpants are on fire.
        """,
    "negative": """
        She's dead. There was nothing we could do.
        I lost everything I ever had.
        I'm so sorry for your loss.
        My father died when I was seven.
        I can't do this anymore. I give up.
        I've never felt so alone.
        You broke my heart.
        It's too late. We failed.
        I am not happy here.
        He is sick, and he isn't getting better.
        """,
    "positive": """
        We won! I can't believe it, we won!
        This is the best day of my life.
        Everything is going to be wonderful.
        Congratulations, you've earned it.
        Thank God you're safe.
        I'm so proud of you.
        What a beautiful morning!
        There's still hope.
        Welcome home, my friend.
        I've never been happier.
        """,
    "neutral": """
        The train leaves at nine.
        Where did you put the keys?
        I work at the library on Fifth Street.
        Could you pass me the salt?
        He usually comes in on Tuesdays.
        Let's go to the office.
        I think he left an hour ago.
        There are three doors and a window.
        You can leave your coat over there.
        What time is it?
        """,
}
LABELLED = [(name, line.strip()) for name, text in LINES.items() for line in text.strip().splitlines()]


def test_most_lines_feel_as_a_person_says() -> None:
    missed = [(want, feeling(line).emotion, line) for want, line in LABELLED if feeling(line).emotion != want]
    assert len(missed) <= len(LABELLED) * 0.12, missed


def test_every_emotion_is_felt_somewhere() -> None:
    for name in EMOTIONS:
        of_this = [line for want, line in LABELLED if want == name]
        right = sum(feeling(line).emotion == name for line in of_this)
        assert right >= 0.75 * len(of_this), name


@pytest.mark.parametrize(
    ("plain", "denied"),
    [("I am happy.", "I am not happy."), ("I love you.", "I don't love him."), ("We have hope.", "We have no hope.")],
)
def test_a_negation_turns_good_into_bad(plain: str, denied: str) -> None:
    assert feeling(plain).emotion in ("positive", "romantic")
    assert feeling(denied).emotion in ("negative", "neutral")


def test_a_negation_does_not_reach_over_a_comma() -> None:
    assert feeling("No, it was a wonderful day.").emotion == "positive"


def test_never_before_a_superlative_denies_nothing() -> None:
    assert feeling("I have never been happier.").emotion == "positive"
    assert feeling("I was never happy.").emotion == "negative"


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        ("It is dangerous.", "It is extremely dangerous."),
        ("A little scared.", "Very scared."),
        ("They attack us.", "They attack us!"),
        ("We fight!", "WE FIGHT!"),
        ("He lives here.", "He lives HERE!"),
        ("Help me...", "Help me!"),
    ],
)
def test_strength_follows_intensifiers_marks_and_capitals(weaker: str, stronger: str) -> None:
    assert feeling(weaker).strength < feeling(stronger).strength


def test_strength_is_bounded_and_silence_has_none() -> None:
    assert feeling("").emotion == "neutral"
    assert feeling("").strength == 0
    assert feeling("KILL THEM! KILL THEM ALL! WAR! WAR! REVENGE!").strength <= 1


def test_inflected_words_are_known_by_their_base() -> None:
    assert feeling("They were screaming and killing.").emotion == "intense"
    assert feeling("It was marvelously, wonderfully done.").emotion == "positive"


def test_other_languages_speak_by_their_marks_alone() -> None:
    assert feeling("Die Frau war gut.", "de").emotion == "neutral"  # "die" and "war" are not English here
    assert feeling("Lauf! Lauf weg!! SOFORT!", "de").emotion == "intense"


def test_a_film_all_in_capitals_shouts_nothing() -> None:
    assert feeling("THE TRAIN LEAVES AT NINE.").strength > 0
    assert feeling("THE TRAIN LEAVES AT NINE.", all_capitals=True).strength == 0


ALONE = [
    "I see dead people.",
    "You can't handle the truth!",
    "With great power comes great responsibility.",
    "Some men just want to watch the world burn.",
    "A dangerous quest for a lone hunter.",
    "What brings you to the land of the gatekeepers?",
    "“This blade has a dark past.”",
]
NEEDS_CONTEXT = [
    "He did it there.",
    "And then they took it from us.",
    "because of you.",
    "...that you would come.",
    "I never thought that...",
    "Yes, I know.",
    "Good morning.",
    "What?",
    "Where is she?",
    "Thank you.",
    "Thank you, sir.",
    "",
]


def test_lines_that_stand_alone_come_before_those_that_need_others() -> None:
    assert min(map(stands_alone, ALONE)) >= 0.8
    assert max(map(stands_alone, NEEDS_CONTEXT)) <= 0.4


def test_length_and_completeness_count_in_any_language() -> None:
    assert stands_alone("Smok przyleciał o świcie.", "pl") == 1
    assert stands_alone("smok przyleciał o świcie", "pl") < 0.2
    assert stands_alone("Smok.", "pl") < 0.2
    assert stands_alone(" ".join(["Smok"] * 30) + ".", "pl") <= 0.2


def test_words_are_counted_without_blanks_too() -> None:
    assert word_count("It's a well-known fact, John.") == 5
    assert 4 <= word_count("我一直在找一个人。") <= 5


CALM = "I always believed that life is a promise."


def test_a_voice_over_is_near_calm_and_speakable() -> None:
    good = voice_over(CALM, Fraction(3), 1.0, 1.0)
    assert good > 0.8
    assert voice_over(CALM, Fraction(3), 0.4, 1.0) < good
    assert voice_over(CALM, Fraction(3), 1.0, 0.3) < good
    assert voice_over("Get the crate into the truck!", Fraction(3), 1.0, 1.0) < good
    assert voice_over("Is the crate in the truck?", Fraction(3), 1.0, 1.0) < good
    for seconds in (Fraction(1, 2), Fraction(3, 2), Fraction(7)):  # too short, too fast, too long
        assert voice_over(CALM, seconds, 1.0, 1.0) == 0


def test_the_lexicon_is_small_letters_and_known_emotions() -> None:
    known = lexicon()
    assert all(set(weights) <= set(EMOTIONS) - {"neutral"} for weights in known.weights.values())
    assert all(word == word.lower() for words in known.weights for word in words)
    assert len(known.weights) > 800


def test_a_line_takes_little_work() -> None:
    """A film of ten thousand lines is read in a second."""
    lexicon()
    line = "Nobody told me that the enemy was so close, not even number 7!"
    assert effort(lambda: (feeling(line), stands_alone(line))) < 500
