"""One request's row: opened before the first byte, settled before the last, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async

from accounting import ledger
from accounting.identity import Caller
from accounting.ledger import Booking
from accounting.models import DailyUsage, Generation, HourlyUsage, LedgerEntry, RateCard

from .events import Event, delta, end, start

Make = Callable[..., Booking]


async def only() -> LedgerEntry:
    await ledger.drain()
    return await LedgerEntry.objects.aget()


async def test_a_row_is_open_while_its_answer_streams_and_settled_after(caller: Caller, booking: Make) -> None:
    async with ledger.entry(caller, booking(), generation=None) as entry:
        row = await only()
        assert (row.state, row.outcome, row.exact) == ("open", "", False)
        assert row.input_tokens == 1000
        assert row.cost is not None
        entry.observe([start(input_tokens=900, output_tokens=1), delta("hello")])
        entry.observe([end(input_tokens=700, cache_read_input_tokens=200, output_tokens=50)])
        await entry.settle()
        row = await LedgerEntry.objects.aget()
        assert (row.state, row.outcome, row.exact) == ("settled", "complete", True)
    row = await only()
    assert (row.user_name, row.team_name, row.key_name) == ("ada", "engines", "laptop")
    assert (row.input_tokens, row.cache_read_tokens, row.output_tokens) == (700, 200, 50)
    assert row.cost == Decimal("0.00015")  # 700 x 0.15 + 200 x 0.075 + 50 x 0.60 per million
    assert row.first_byte_ms is not None
    assert row.duration_ms is not None
    card = await RateCard.objects.aget(pk=row.rate_card_id)
    assert card.rates["input"] == "1.5E-7"
    assert "gpt-4o-mini" in card.source


@pytest.mark.parametrize("other", [None, "text", 7, [], [{}], {"type": None}, {"usage": [1]}, {"usage": {"x": {}}}])
async def test_events_that_are_not_what_they_should_be_are_no_failure(
    other: object, caller: Caller, booking: Make
) -> None:
    """Anthropic's own events pass as they come: what a host in its place may send must not cost the answer."""
    async with ledger.entry(caller, booking(), generation=None) as entry:
        for kind, name in (("message_start", "message"), ("message_delta", "usage"), ("message", "usage")):
            entry.observe([Event(kind, {"type": kind, name: other})])
        entry.observe([Event("error", {"type": "error", "error": other})])
        await entry.settle()
    row = await only()
    assert row.outcome == "upstream_error"
    assert row.input_tokens == 1000


async def test_a_client_that_leaves_settles_on_an_estimate(caller: Caller, booking: Make) -> None:
    streaming = asyncio.Event()

    async def answer() -> None:
        async with ledger.entry(caller, booking(), generation=None) as entry:
            entry.observe([start(input_tokens=900, output_tokens=1), delta("x" * 400)])
            streaming.set()
            await asyncio.Future()

    task = asyncio.create_task(answer())
    await streaming.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    row = await only()
    assert (row.state, row.outcome, row.exact) == ("settled", "interrupted", False)
    assert row.input_tokens == 900
    assert 90 <= row.output_tokens <= 110


async def test_a_client_that_leaves_before_its_row_is_open_costs_nothing(caller: Caller, booking: Make) -> None:
    async def answer() -> None:
        async with ledger.entry(caller, booking(), generation=None):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(answer())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    row = await only()
    assert (row.state, row.outcome, row.cost, row.input_tokens) == ("settled", "interrupted", 0, 0)


async def test_a_failure_says_its_class(caller: Caller, booking: Make) -> None:
    async def answer() -> None:
        async with ledger.entry(caller, booking(), generation=None) as entry:
            entry.fail("upstream_error", "Busy")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await answer()
    row = await only()
    assert (row.state, row.outcome, row.error) == ("settled", "upstream_error", "Busy")
    assert row.cost == 0


async def test_a_defect_is_not_blamed_on_the_provider(caller: Caller, booking: Make) -> None:
    with pytest.raises(ZeroDivisionError):
        async with ledger.entry(caller, booking(), generation=None):
            raise ZeroDivisionError
    row = await only()
    assert (row.outcome, row.error) == ("gateway_error", "ZeroDivisionError")


async def test_what_was_decided_on_yesterdays_table_starts_over(caller: Caller, booking: Make) -> None:
    generation = await sync_to_async(Generation.read)()
    with pytest.raises(ledger.Stale) as stale:
        async with ledger.entry(caller, booking(), generation=generation - 1):
            raise AssertionError("nothing may be sent")
    assert stale.value.generation == generation
    await ledger.drain()
    assert not await LedgerEntry.objects.aexists()


async def test_an_unpriced_model_costs_null_not_zero(caller: Caller, booking: Make) -> None:
    async with ledger.entry(caller, booking(model="no-such-model"), generation=None) as entry:
        entry.observe([end(input_tokens=10, output_tokens=5)])
        await entry.settle()
    row = await only()
    assert row.cost is None
    assert (await DailyUsage.objects.aget()).unpriced == 1


async def test_a_whole_message_is_read_like_a_stream(caller: Caller, booking: Make) -> None:
    usage = {
        "input_tokens": 5,
        "output_tokens": 7,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens_details": {"thinking_tokens": 3},
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "standard",
    }
    async with ledger.entry(caller, booking(streamed=False), generation=None) as entry:
        entry.observe([Event("message", {"type": "message", "usage": usage})])
        await entry.settle()
    row = await only()
    assert (row.cache_write_5m_tokens, row.cache_write_1h_tokens) == (10, 20)
    assert (row.reasoning_tokens, row.web_searches, row.service_tier) == (3, 2, "standard")


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"input_tokens": -10, "output_tokens": -5}, {"input_tokens": 1e20, "output_tokens": 2**63}],
    ids=["none", "empty", "negative", "huge"],
)
async def test_a_whole_message_without_figures_is_estimated(usage: object, caller: Caller, booking: Make) -> None:
    message = {"type": "message", "content": [{"type": "text", "text": "x" * 400}], "usage": usage}
    async with ledger.entry(caller, booking(streamed=False), generation=None) as entry:
        entry.observe([Event("message", message)])
        await entry.settle()
    row = await only()
    assert (row.outcome, row.exact, row.input_tokens) == ("complete", False, 1000)
    assert 40 <= row.output_tokens <= 110


async def test_an_end_without_figures_is_not_exact(caller: Caller, booking: Make) -> None:
    async with ledger.entry(caller, booking(), generation=None) as entry:
        entry.observe([start(input_tokens=900, output_tokens=1), delta("x" * 400), end(output_tokens=-5)])
        await entry.settle()
    row = await only()
    assert (row.exact, row.input_tokens) == (False, 900)
    assert row.output_tokens > 80


async def test_an_estimate_that_says_so_is_not_exact(caller: Caller, booking: Make) -> None:
    async with ledger.entry(caller, booking(), generation=None) as entry:
        entry.observe([end(input_tokens=10, output_tokens=5, tollgate_estimated=True)])
        await entry.settle()
    assert (await only()).exact is False


async def test_a_rejection_is_a_row(caller: Caller) -> None:
    await ledger.reject(caller, request_id="req_x", asked_model="nope", error="ModelUnknown", session_id="s")
    row = await only()
    assert (row.outcome, row.error, row.asked_model, row.cost) == ("rejected", "ModelUnknown", "nope", 0)


async def test_many_at_once_add_up_in_the_rollups(caller: Caller, booking: Make) -> None:
    async def answer(tokens: int) -> None:
        async with ledger.entry(caller, booking(), generation=None) as entry:
            entry.observe([end(input_tokens=tokens, output_tokens=1)])
            await entry.settle()

    await asyncio.gather(*(answer(tokens) for tokens in range(200)))
    await ledger.drain()
    rows = [row async for row in LedgerEntry.objects.all()]
    assert len({row.request_id for row in rows}) == 200
    assert {row.state for row in rows} == {"settled"}
    for rollup in (HourlyUsage, DailyUsage):
        sums = [usage async for usage in rollup.objects.all()]
        assert sum(usage.requests for usage in sums) == 200
        assert sum(usage.input_tokens for usage in sums) == sum(range(200))
        assert sum(usage.cost for usage in sums) == sum(row.cost for row in rows)


async def test_texts_are_cut_to_what_the_ledger_keeps(caller: Caller, booking: Make) -> None:
    async with ledger.entry(caller, booking(client="c\0" + "é" * 400 + "\ud800"), generation=None) as entry:
        await entry.settle()
    assert len((await only()).client) <= 200
