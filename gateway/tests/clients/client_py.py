"""The Python SDK 2.x as an agent: client_py.py URL auto|legacy --flow code|client_credentials --expect-tools a,b ...

Finds the authorization server from the 401 alone, as support.mjs's clients do, and checks the same facts.
Never prints a token.
"""

import argparse
import asyncio
import json
import re
import sys
import time
import warnings
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

# Nothing listens here: the walk through the login pages ends when it is reached.
REDIRECT_URI = "http://127.0.0.1:39990/callback"
DENIED_CODE = 40301
# The slow tool pauses 150 ms after each step: an earlier arrival than this shows that progress was not held back.
LEAST_LEAD_SECONDS = 0.1
MAXIMUM_HOPS = 20


class CheckFailed(Exception):
    """A fact about the gateway that does not hold."""


def expect(condition, message):
    """Fail with `message` unless `condition` holds."""
    if not condition:
        raise CheckFailed(message)


class MemoryStorage:
    """What the SDK wants to keep between requests."""

    def __init__(self):
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Person:
    """Someone at a browser who walks oidc-provider's login and consent pages."""

    def __init__(self, name):
        self.name = name
        self.authorization_url = None

    async def open(self, authorization_url):
        self.authorization_url = authorization_url

    async def answer(self):
        async with httpx2.AsyncClient(follow_redirects=False) as browser:
            url = self.authorization_url
            for _ in range(MAXIMUM_HOPS):
                if url.startswith(REDIRECT_URI):
                    return self.read_callback(url)
                page = await browser.get(url)
                if not page.is_redirect:
                    page = await browser.post(url, data=self.fill_in(page.text, url))
                expect(page.is_redirect, f"the login page at {url} answered {page.status_code}")
                url = urljoin(url, page.headers["location"])
        raise CheckFailed(f"the login did not end within {MAXIMUM_HOPS} pages")

    def fill_in(self, page, url):
        prompt = re.search(r'name="prompt" value="(\w+)"', page)
        expect(prompt, f"no login form at {url}")
        return {"prompt": prompt.group(1), "login": self.name, "password": "any"}

    @staticmethod
    def read_callback(url):
        query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        expect("code" in query, f"the authorization server refused: {query}")
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))


def authentication(expected):
    """The SDK's own flow, told nothing but the URL and who is asking."""
    if expected.flow == "client_credentials":
        return ClientCredentialsOAuthProvider(
            server_url=expected.url,
            storage=MemoryStorage(),
            client_id=expected.user,
            client_secret=f"{expected.user}-secret",
        )
    person = Person(expected.user)
    metadata = OAuthClientMetadata(
        client_name="gatewright client test",
        redirect_uris=[REDIRECT_URI],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(expected.url, metadata, MemoryStorage(), person.open, person.answer)


def text_of(result):
    return "\n".join(part.text for part in result.content)


def same_set(what, actual, wanted):
    actual = [str(name) for name in actual]
    expect(sorted(actual) == sorted(wanted), f"{what} should be {sorted(wanted)}, got {sorted(actual)}")
    return actual


def check_discovery(trace, url):
    expect(trace and trace[0][1:] == (url, 401), f"the first answer should be a 401 of {url}, got {trace[:1]}")
    metadata = next((step for step in trace if "/.well-known/oauth-protected-resource" in step[1]), None)
    expect(metadata and metadata[2] == 200, f"the resource metadata should be found at once, got {metadata}")
    return [f"{method} {urlsplit(url).path} {status}" for method, url, status in trace][:8]


async def check_allowed(client, expected):
    found = text_of(await client.call_tool("search_notes", {"word": "milk"}))
    expect(found == "n1 n2", f"search_notes should find `n1 n2`, got `{found}`")
    note = text_of(await client.call_tool("get_note", {"id": "n3"}))
    expect(note == "Water the plants", f"get_note should read the note, got `{note}`")
    if "delete_note" in expected.expect_tools:
        deleted = text_of(await client.call_tool("delete_note", {"id": "n2"}))
        expect(deleted == "deleted n2", f"delete_note should be allowed here, got `{deleted}`")
    return [tool for tool in expected.expect_tools if tool != "count_slowly"]


async def check_denied(client, tool, trace):
    try:
        result = await client.call_tool(tool, {"id": "n1"})
    except MCPError as error:
        expect(error.code == DENIED_CODE, f"`{tool}` should fail with {DENIED_CODE}, got {error.code}: {error.message}")
        reason = (error.data or {}).get("reason")
        expect(reason == "tool_not_allowed", f"the refusal should say tool_not_allowed, got `{reason}`")
        status = next(status for method, _, status in reversed(trace) if method == "POST")
        wanted = 403 if client.protocol_version == "2026-07-28" else 200
        expect(status == wanted, f"the refusal should be HTTP {wanted}, got {status}")
        return {"tool": tool, "code": error.code, "http": status, "reason": reason, "surfaced": "MCPError"}
    raise CheckFailed(f"`{tool}` should be denied, but answered {result}")


async def check_progress(client):
    arrivals = []

    async def note(progress, total, message):
        arrivals.append((progress, time.monotonic()))

    result = await client.call_tool("count_slowly", {"steps": 3}, progress_callback=note)
    expect(text_of(result) == "counted to 3", f"count_slowly answered {result}")
    steps = [progress for progress, _ in arrivals]
    expect(steps == [1, 2, 3], f"progress should be 1 2 3 before the result, got {steps}")
    lead = time.monotonic() - arrivals[0][1]
    expect(lead >= LEAST_LEAD_SECONDS, f"progress came only {lead:.3f} s before the result: it was held back")
    return {"notes": len(arrivals), "lead_ms": round(lead * 1000)}


async def check(client, expected, trace):
    is_modern = client.protocol_version == "2026-07-28"
    expect(is_modern == (expected.mode == "auto"), f"mode {expected.mode} negotiated {client.protocol_version}")
    facts = {
        "protocol": client.protocol_version,
        "discovery": check_discovery(trace, expected.url),
        "tools": same_set("tools", [tool.name for tool in (await client.list_tools()).tools], expected.expect_tools),
        "prompts": same_set(
            "prompts", [prompt.name for prompt in (await client.list_prompts()).prompts], expected.expect_prompts
        ),
        "resources": same_set(
            "resources", [item.uri for item in (await client.list_resources()).resources], expected.expect_resources
        ),
        "allowed": await check_allowed(client, expected),
    }
    if expected.denied:
        facts["denied"] = await check_denied(client, expected.denied, trace)
    # The session must outlive the refusal.
    facts["progress"] = await check_progress(client)
    return facts


async def run(expected):
    trace = []

    async def remember(response):
        trace.append((response.request.method, str(response.request.url), response.status_code))

    hooks = {"response": [remember]}
    async with httpx2.AsyncClient(auth=authentication(expected), event_hooks=hooks, timeout=30) as http_client:
        transport = streamable_http_client(expected.url, http_client=http_client)
        async with Client(transport, mode=expected.mode) as client:
            return await check(client, expected, trace)


def names(text):
    return [name for name in text.split(",") if name]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("mode", choices=["auto", "legacy"])
    parser.add_argument("--flow", choices=["code", "client_credentials"], default="code")
    parser.add_argument("--user", default="alice")
    parser.add_argument("--denied", default="")
    for kind in ("tools", "prompts", "resources"):
        parser.add_argument(f"--expect-{kind}", type=names, default=[])
    return parser.parse_args()


def main():
    # The clients are told nothing but the URL, so they cannot name the issuer in advance.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    expected = arguments()
    told = {"client": "py", "flow": expected.flow, "mode": expected.mode, "user": expected.user}
    try:
        print(json.dumps(told | asyncio.run(run(expected))))
    except BaseException as error:  # a task group wraps the failure, so anything may arrive here
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        print(f"py {expected.flow} {expected.mode}: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
