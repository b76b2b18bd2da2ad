"""The ledger against exports as OpenAI, Anthropic and Google write them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError

from accounting import reconciliation
from accounting.identity import Caller
from accounting.ledger.booking import Booking, End, Row
from accounting.ledger.posting import Known, Opening, Settlement, post
from accounting.tokens import Tokens
from accounting.uuids import uuid7

from .usage import run

pytestmark = pytest.mark.django_db

ANTHROPIC = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count,inference_geo,speed\n"
    "2026-11-20,claude-sonnet-4-5-20250929,one,Default,standard,≤ 200k,60,10,5,1000,30,1,not_available,\n"
    "2026-11-20,claude-sonnet-4-5-20250929,two,Default,standard,≤ 200k,40,0,0,0,20,0,not_available,\n"
)
OPENAI = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
    "input_tokens,output_tokens,input_cached_tokens\n"
    "1795132800,1795219200,2026-11-20T00:00:00+00:00,2026-11-21T00:00:00+00:00,proj,2,,,gpt-4o-2024-08-06,,1100,50,1000\n"
    "1795219200,1795305600,2026-11-21T00:00:00+00:00,2026-11-22T00:00:00+00:00,,0,,,,,0,0,0\n"
)
GOOGLE = (
    "Service description,SKU description,Usage start date,Usage amount,Usage unit,Cost ($)\n"
    "Gemini API,Generate content input token count Gemini 2.5 Pro short input text,2026-11-20,100,count,0.000125\n"
    "Gemini API,Generate content output token count Gemini 2.5 Pro short output text,2026-11-20,50,count,0.0005\n"
    'Gemini API,Cached content token count Gemini 2.5 Pro short,2026-11-20,"1,000",count,0.000125\n'
    "Cloud Storage,Standard storage,2026-11-20,5,gibibyte month,0.10\n"
)


def answer(provider: str, model: str, tokens: Tokens, hour: int = 12) -> None:
    moment = datetime(2026, 11, 20, hour, tzinfo=UTC)
    booking = Booking(request_id=f"req_{hour}", provider=provider, model=model, price_family=provider)
    row = Row(Caller(1, "", 1, "ada", None, ""), booking, uuid7(moment), moment)
    post(Known(worker=None), [Opening(row, None), Settlement(row, End("complete", tokens, exact=True))])


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tmp_path / "export.csv"


def test_anthropic_agrees(export: Path) -> None:
    tokens = Tokens(input=70, cache_read=1000, cache_write_5m=10, cache_write_1h=5, output=40, web_searches=1)
    answer("anthropic", "claude-sonnet-4-5", tokens)
    answer("anthropic", "claude-sonnet-4-5", Tokens(input=30, output=10), hour=23)
    export.write_text(ANTHROPIC)
    assert "1 days and models agree" in run("reconcile", str(export))


def test_openai_counts_cached_input_as_input(export: Path) -> None:
    answer("openai", "gpt-4o", Tokens(input=60, cache_read=1000, output=20))
    answer("openai", "gpt-4o-2024-08-06", Tokens(input=40, output=30), hour=1)
    export.write_text(OPENAI)
    assert "agree" in run("reconcile", str(export))


def test_google_names_models_in_its_skus(export: Path) -> None:
    answer("gemini", "gemini-2.5-pro", Tokens(input=100, cache_read=1000, output=50))
    export.write_text(GOOGLE)
    assert "agree" in run("reconcile", str(export))


def test_differences_are_printed_and_fail(export: Path) -> None:
    answer("house", "gpt-4o", Tokens(input=100, cache_read=900, output=50))
    answer("house", "gpt-4o-mini", Tokens(input=7))
    export.write_text(OPENAI)
    with pytest.raises(CommandError, match="figures differ"):
        run("reconcile", str(export), "--provider", "house")
    differences = list(reconciliation.compare(reconciliation.read(OPENAI.splitlines()), "house"))
    assert [(each.model, each.measure, each.theirs, each.ours) for each in differences] == [
        ("gpt-4o", "requests", 2, 1),
        ("gpt-4o", "cache_read", 1000, 900),
        ("gpt-4o-mini", "requests", 0, 1),
        ("gpt-4o-mini", "input", 0, 7),
    ]
    assert differences[1].percent == Decimal(-10)
    assert differences[3].percent is None


def test_a_tolerance_lets_small_differences_pass(export: Path) -> None:
    answer("openai", "gpt-4o", Tokens(input=100, cache_read=999, output=50))
    answer("openai", "gpt-4o", Tokens(), hour=13)
    export.write_text(OPENAI)
    assert "agree" in run("reconcile", str(export), "--tolerance", "0.2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no usage export that is known: none"),
        ("a,b\n1,2\n", "a, b"),
        (ANTHROPIC.replace("2026-11-20", "yesterday"), "'yesterday' is no day"),
        (ANTHROPIC.replace(",60,", ",sixty,"), "'sixty' is no figure"),
    ],
)
def test_what_is_no_export_is_refused_in_one_line(export: Path, text: str, message: str) -> None:
    export.write_text(text)
    with pytest.raises(CommandError, match=message):
        run("reconcile", str(export))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run("reconcile", str(tmp_path / "none.csv"))
