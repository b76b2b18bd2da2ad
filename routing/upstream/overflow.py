"""Context overflow in the words of each provider.

There is no common code for it: a provider says it with 400, 413, 422, 429 or 500, and in its own words. Claude Code
compacts a conversation only on Anthropic's words (claude-code-router#1799), so all of them end in ``ContextOverflow``.

Sources: the providers' documentation and public reports of their messages, as named beside each.
"""

from __future__ import annotations

import re
from typing import Final

from .errors import ContextOverflow
from .messages import MessagesRequest
from .target import Target

# In these, ``tokens`` is the input, ``output`` what was asked for as answer, ``total`` both, ``maximum`` the window.
_NUMBER: Final = r"\d[\d,.]*"
_WORDINGS: Final = (
    # Anthropic, also through compatible hosts; the second where only input and answer together are too long
    r"prompt is too long: {tokens} tokens > {maximum}",
    r"exceed context limit: {tokens} \+ {output} > {maximum}",
    # OpenAI, Azure, DeepSeek, vLLM, SGLang: "you requested T tokens (I in the messages, O in the completion)"
    r"context length is {maximum} tokens.*?requested (?:about )?{total} tokens \({tokens} (?:in|of) (?:the |your )?"
    r"(?:messages|prompt|text input|input)\b(?:.*?{output} (?:in|for) the (?:completion|output))?",
    # SGLang
    r"context length of {maximum} tokens.*?total of {total} tokens: {tokens} tokens from the input.*?"
    r"and {output} tokens for",
    # vLLM: "your request has I input tokens plus O 'max_tokens'", "(64000 > 32768 - 1000)"
    r"context length is {maximum} tokens.*?request has {tokens} input tokens plus {output}",
    r"max_(?:completion_)?tokens'? is too large: {output}.*?context length is {maximum} tokens.*?has {tokens} input",
    r"context length is {maximum} tokens.*?requested {output} output tokens and your prompt contains "
    r"(?:at least )?{tokens}",
    r"passed {tokens} input tokens and requested {output} output tokens.*?context length is only {maximum}",
    r"context length is {maximum} tokens.*?(?:resulted in|request has|contains) (?:at least )?{tokens}",
    r"prompt \(length {tokens}\) is longer than the maximum model length of {maximum}",
    r"input \({tokens} tokens\) is longer than the model's context length \({maximum}",  # SGLang
    # OpenAI: GPT-5 and later; OpenRouter when the answer's part is not told
    r"limit of {maximum} tokens.*?resulted in {tokens} tokens",
    r"context length is {maximum} tokens.*?requested (?:about )?{total} tokens",
    r"contains {tokens} tokens.*?too large for model with {maximum} maximum",  # Mistral
    r"request \({tokens} tokens\) exceeds the available context size \({maximum}",  # llama.cpp
    r"first {tokens} tokens when context the overflows.*?context length of only {maximum}",  # LM Studio
    r"n_keep \({tokens}\) >= n_ctx \({maximum}\)",  # LM Studio
    r"tokens must be <= {maximum}\. given: {tokens} `inputs` tokens and {output}",  # Together
    r"`?max_new_tokens`? must be <= {maximum}\. given: {tokens} `?inputs`? tokens and {output}",  # Together, TGI
    r"`inputs` must have less than {maximum} tokens\. given: {tokens}",  # TGI
    r"input token count \(?{tokens}\)? exceeds the maximum number of tokens allowed \(?{maximum}",  # Gemini
    r"maximum prompt length is {maximum} but the request contains {tokens}",  # xAI
    r"prompt is too long: {tokens}, model maximum context length: {maximum}",  # Fireworks
    r"current length is {tokens} while limit is {maximum}",  # Cerebras
    r"prompt token count of {tokens} exceeds the limit of {maximum}",  # GitHub
    r"exceeded model token limit: {maximum} \(requested: {tokens}\)",  # Moonshot
    r"prompt has {tokens} tokens?, but the configured context size is {maximum}",
    r"range of input length should be \[\d+, {maximum}\]",  # DashScope
    # A request larger than a minute's allowance never succeeds, however long one waits (OpenAI 429, Groq 413)
    r"request too large for .*?limit:? {maximum}, requested:? {tokens}",
)
_PATTERNS: Final = tuple(
    re.compile(
        wording.format(
            tokens=rf"(?P<tokens>{_NUMBER})",
            output=rf"(?P<output>{_NUMBER})",
            total=rf"(?P<total>{_NUMBER})",
            maximum=rf"(?P<maximum>{_NUMBER})",
        ),
        re.IGNORECASE | re.DOTALL,
    )
    for wording in _WORDINGS
)
# The same said without figures that can be read.
_PHRASES: Final = re.compile(
    r"context_length_exceeded|exceed_context_size|model_context_window_exceeded|max_prompt_tokens_exceeded"
    r"|string_above_max_tokens|maximum context length|exceeds the (?:available )?context (?:size|window|length|limit)"
    r"|exceeds? (?:the )?(?:max(?:imum)?|model'?s)? ?context (?:length|window|limit|size)"
    r"|exceed(?:ed)? (?:max )?context length|greater than the context length|context window exceeds limit"
    r"|context size has been exceeded|(?:prompt|input) is too long|prompt too long|prompt exceeds max length"
    r"|reduce the length of the (?:messages|prompt|input)|too many (?:input )?tokens|total length of all messages"
    r"|input length.{0,40}exceeds|input tokens? exceed",
    re.IGNORECASE,
)
# Throttling may speak of tokens too ("Too many tokens, please wait").
_THROTTLED: Final = re.compile(r"rate limit|throttl|please wait|per minute|quota", re.IGNORECASE)
_READ: Final = 2_000  # characters of a message that are looked at


def overflow(text: str, target: Target, request: MessagesRequest, status: int | None = None) -> ContextOverflow | None:
    """The error, where ``text`` (a provider's message, and its code) says that the prompt is too long; else None.

    Figures that the provider does not give are the gateway's own: the model's window and the estimate of the input.
    """
    text = text[:_READ]
    for pattern in _PATTERNS:
        if (match := pattern.search(text)) is not None:
            return _overflow(match.groupdict(), target, request, status)
    if _PHRASES.search(text) is None or _THROTTLED.search(text) is not None:
        return None
    return _overflow({}, target, request, status)


def _overflow(
    said: dict[str, str | None], target: Target, request: MessagesRequest, status: int | None
) -> ContextOverflow:
    maximum = _number(said.get("maximum")) or target.capabilities.context_window
    tokens = _number(said.get("tokens"))
    output = _number(said.get("output"))
    total = _number(said.get("total"))
    if total is not None:  # what is neither of the messages nor of the answer is input too: the tools
        if output is None and tokens is not None and tokens < total:
            output = total - tokens
        tokens = max(total - (output or 0), 1)
    if tokens is None and maximum is not None:
        tokens = max(request.input_estimate, maximum + 1)
    return ContextOverflow(
        tokens=tokens if tokens is not None else request.input_estimate,
        maximum=maximum,
        max_tokens=output,
        provider_status=status,
    )


def _number(text: str | None) -> int | None:
    digits = re.sub(r"\D", "", text or "")
    return int(digits) if digits else None
