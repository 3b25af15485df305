"""Where in a reply the answer stands: beside thoughts, behind them, in a call of a tool, as Python writes it."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from talking import Handler, Loopback

from cinecut.inference.chat import Chat, NoAnswer

MOOD = {
    "type": "object",
    "properties": {"mood": {"type": "string", "minLength": 1, "maxLength": 20}},
    "required": ["mood"],
    "additionalProperties": False,
}


def replying(reply: str) -> closing[Loopback]:
    """A server that sends one reply to every question."""

    class Replying(Handler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(200, reply.encode())

    return closing(Loopback(Replying))


MESSAGES: dict[str, dict[str, Any]] = {
    "thoughts beside the answer": {"content": '{"thinking": "Dark pictures.", "mood": "grim", "sure": true}'},
    "a call of a tool": {
        "content": None,
        "tool_calls": [{"type": "function", "function": {"name": "answer", "arguments": '{"mood": "grim"}'}}],
    },
    "a call of a tool, its arguments read already": {
        "content": "",
        "tool_calls": [{"function": {"name": "answer", "arguments": {"mood": "grim"}}}],
    },
    "a call as it was": {"content": None, "function_call": {"name": "answer", "arguments": '{"mood": "grim"}'}},
    "parts": {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": '{"mood": "gay"}?'}]},
            {"type": "text", "text": '{"mood": "grim"}'},
        ]
    },
    "no answer but a thought": {"content": "", "thinking": 'So: {"mood": "grim"}'},
    "no text at all": {"reasoning": '{"mood": "grim"}'},
    **{
        f"{begin} {order}": {"content": text.format(begin, end)}
        for begin, end in (
            ("<think>", "</think>"),
            ("<THINKING>", "</THINKING>"),
            ("<seed:think>", "</seed:think>"),
            ("[THINK]", "[/THINK]"),
            ("◁think▷", "◁/think▷"),
            ("<|begin_of_thought|>", "<|end_of_thought|>"),
            ("<|START_THINKING|>", "<|END_THINKING|>"),
            ("<unused94>thought", "<unused95>"),
            (
                "<|channel|>analysis<|message|>",
                "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
            ),
        )
        for order, text in (
            ("before", '{}Is it {{"mood": "gay"}}?{} {{"mood": "grim"}}'),
            ("ended only", 'Is it {{"mood": "gay"}}?{1} {{"mood": "grim"}}'),
            ("behind", '{{"mood": "grim"}} {}Or {{"mood": "gay"}}?{}'),
        )
        if not (begin.startswith("<|channel") and order == "behind")
    },
    "as Python writes it": {"content": "Here it is: {'mood': 'grim', 'sure': True,}"},
    "as Python writes it, in a fence": {"content": "```python\n{'mood': \"grim\"}\n```"},
}


@pytest.mark.parametrize("name", MESSAGES)
def test_an_answer_is_found_wherever_it_stands(name: str) -> None:
    reply = json.dumps({"choices": [{"message": {"role": "assistant", **MESSAGES[name]}}]})
    with replying(reply) as server:
        assert Chat("m", server.url).ask("?", MOOD) == {"mood": "grim"}


UNFINISHED: dict[str, tuple[dict[str, Any], str]] = {
    "thinking without end": ({"content": '<think>Is it {"mood": "gay"}? No'}, "stop"),
    "an analysis without end": ({"content": '<|channel|>analysis<|message|>{"mood": "gay"}? No'}, "stop"),
    "thinking that is ended": ({"content": '<think>Is it {"mood": "gay"}?</think>'}, "stop"),
    "thinking that was cut off": ({"content": 'Is it {"mood": "gay"}? No, it is rath'}, "length"),
    "a thought that was cut off": ({"content": "", "reasoning_content": 'Is it {"mood": "gay"}? No, it'}, "length"),
    "a thought and no answer": ({"content": None, "reasoning": 'Is it {"mood": "gay"}? I wonder.'}, "stop"),
}


@pytest.mark.parametrize("name", UNFINISHED)
def test_what_a_model_thinks_of_on_the_way_is_no_answer(name: str) -> None:
    message, finish = UNFINISHED[name]
    reply = json.dumps({"choices": [{"message": {"role": "assistant", **message}, "finish_reason": finish}]})
    with replying(reply) as server, pytest.raises(NoAnswer):
        Chat("m", server.url).ask("?", MOOD)
