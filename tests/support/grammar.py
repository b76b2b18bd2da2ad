"""The judge of answers, where tests look for it: the gateway's own, which conformance runs use too."""

from routing.grammar import Event, GrammarError, Laws, Transcript, check_message, check_stream, parse_frames

__all__ = ["Event", "GrammarError", "Laws", "Transcript", "check_message", "check_stream", "parse_frames"]
