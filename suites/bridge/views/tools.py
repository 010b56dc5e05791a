"""Asking the bridge over MCP, by the official client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_rollout import RolloutError, Stage

Call = tuple[str, Mapping[str, object]]


def address(phase: Stage) -> str:
    """Where the MCP endpoint is."""
    path = phase.file("mcp")
    if not path.is_file():
        raise RolloutError(f"there is no address of MCP at {path.name}")
    return path.read_text(encoding="utf-8").strip()


async def _spoken(url: str, token: str, calls: Sequence[Call]) -> tuple[list[Any], list[Any]]:
    import httpx2
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20) as client,
        streamable_http_client(url, http_client=client) as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        listed = list((await session.list_tools()).tools)
        answers = [await session.call_tool(name, dict(more)) for name, more in calls]
    return listed, answers


def spoken(phase: Stage, token: str, calls: Sequence[Call]) -> tuple[list[str], list[Any]]:
    """The tools that MCP lists, and what it answers to some calls, by one session."""
    listed, answers = asyncio.run(_spoken(address(phase), token, calls))
    return [tool.name for tool in listed], answers


def tools(phase: Stage) -> dict[str, Any]:
    """The tools that MCP lists to anybody, by their names."""
    listed, _ = asyncio.run(_spoken(address(phase), "", []))
    return {tool.name: tool for tool in listed}


def said(answer: Any) -> tuple[int, Any]:
    """Status and body of an answer of MCP."""
    told = answer.structured_content
    if not isinstance(told, dict) or "status" not in told:
        raise RolloutError(f"MCP answers without a status and a body: {told!r:.80}")
    if bool(answer.is_error) != (int(told["status"]) >= 400):
        raise RolloutError(f"MCP answers {told['status']} with isError {answer.is_error}")
    return int(told["status"]), told.get("body")
