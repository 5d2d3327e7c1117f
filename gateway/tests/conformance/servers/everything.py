"""The fixture server on the Python SDK: what the conformance suite calls, for all revisions that the SDK serves.

Names and schemas are those of the Rust fixture (catalogue.json), answers stand in answers.json. Never knows tasks.
env PORT (0 = any free port). Prints one JSON line {"url", "pid"} once it serves.
"""

import asyncio
import json
import os
import socket
from pathlib import Path

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.streamable_http import EventMessage
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import PromptsListChanged, ResourceUpdated, ToolsListChanged

HERE = Path(__file__).parent
CATALOGUE = json.loads((HERE / "../../../../examples/servers/everything/catalogue.json").read_text())
ANSWERS = json.loads((HERE / "answers.json").read_text())
WATCHED = "test://watched-resource"
PAUSE_SECONDS = 0.05
INVALID_PARAMS, MISSING_CAPABILITY = -32602, -32021

bus = InMemorySubscriptionBus()


def said(text):
    return types.CallToolResult.model_validate({"content": [{"type": "text", "text": text}]})


def code_of(name):
    """The code behind a tool; nothing for the tools that are tasks."""
    if name in ANSWERS["rounds"]:
        return lambda context, params: round_of(context, params, said)
    if name in ANSWERS["contents"]:
        return contents
    if name in ANSWERS["forms"]:
        return elicit
    return CODE.get(name) or (text if name in ANSWERS["texts"] else None)


async def text(context, params):
    return said(ANSWERS["texts"][params.name])


async def contents(context, params):
    return types.CallToolResult.model_validate({"content": ANSWERS["contents"][params.name]})


async def greet(context, params):
    return said(f"Hello, {params.arguments['name']}!")


async def region(context, params):
    return said(params.arguments["region"])


async def fail(context, params):
    content = [{"type": "text", "text": "This tool intentionally returns an error for testing"}]
    return types.CallToolResult.model_validate({"content": content, "isError": True})


async def log(context, params):
    for line in ANSWERS["log"]:
        await context.session.send_log_message("info", line, related_request_id=context.request_id)
        await asyncio.sleep(PAUSE_SECONDS)
    return await text(context, params)


async def progress(context, params):
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100)
        await asyncio.sleep(PAUSE_SECONDS)
    return await text(context, params)


async def reconnection(context, params):
    if context.close_sse_stream:
        await context.close_sse_stream()
    await asyncio.sleep(4 * PAUSE_SECONDS)
    return await text(context, params)


async def sample(context, params):
    message = {"role": "user", "content": {"type": "text", "text": params.arguments["prompt"]}}
    messages = [types.SamplingMessage.model_validate(message)]
    answer = await context.session.create_message(messages, max_tokens=100, related_request_id=context.request_id)
    return said(f"LLM response: {answer.content.text}")


async def elicit(context, params):
    message = (params.arguments or {}).get("message", "Please choose")
    schema = ANSWERS["forms"][params.name]
    answer = await context.session.elicit_form(message, schema, related_request_id=context.request_id)
    return said(f"Elicitation completed: action={answer.action}, content={json.dumps(answer.content)}")


def announce(event, to_session):
    async def run(context, params):
        await bus.publish(event)
        if params.name and context.protocol_version < "2026-07-28":
            await to_session(context.session)
        return await text(context, params)

    return run


CODE = {
    "greet": greet,
    "test_param_header": region,
    "test_error_handling": fail,
    "test_tool_with_logging": log,
    "test_logging_tool": log,
    "test_tool_with_progress": progress,
    "test_reconnection": reconnection,
    "test_sampling": sample,
    "test_trigger_tool_change": announce(ToolsListChanged(), lambda session: session.send_tool_list_changed()),
    "test_trigger_prompt_change": announce(PromptsListChanged(), lambda session: session.send_prompt_list_changed()),
    "test_trigger_resource_update": announce(ResourceUpdated(uri=WATCHED), lambda session: session.send_resource_updated(WATCHED)),
}
TOOLS = {tool["name"]: tool for tool in CATALOGUE["tools"] if code_of(tool["name"])}


async def round_of(context, params, done):
    """One round of a call that asks before it answers; what it must remember travels in the state, which the SDK seals."""
    rounds = ANSWERS["rounds"][params.name]
    steps, sealed = rounds["steps"], rounds.get("sealed", False)
    declared = capabilities_of(context)
    responses = params.input_responses or {}
    state = json.loads(params.request_state) if params.request_state else None
    step = state or 0

    def asked(step):
        return [key for key in steps[step] if not rounds.get("declared") or capability(key) in declared]

    if (state is not None or not sealed) and all(is_answered(key, responses.get(key)) for key in asked(step)):
        step += 1
    if step == len(steps):
        return done(rounds.get("done", f"Answered: {', '.join(responses)}"))
    missing = [capability(key) for key in asked(step) if capability(key) not in declared]
    if missing:
        raise MCPError(MISSING_CAPABILITY, "a capability is missing", {"requiredCapabilities": {name: {} for name in missing}})
    questions = {key: ANSWERS["questions"][key] for key in asked(step)}
    result = {"inputRequests": questions, "resultType": "input_required"}
    return types.InputRequiredResult.model_validate({**result, "requestState": json.dumps(step)} if sealed else result)


def capability(key):
    return ANSWERS["capabilities"][ANSWERS["questions"][key]["method"]]


def capabilities_of(context):
    declared = context.session.client_capabilities
    return declared.model_dump(by_alias=True, exclude_none=True) if declared else {}


def is_answered(key, answer):
    """A declined or malformed answer is none."""
    question = ANSWERS["questions"][key]
    answer = answer.model_dump(by_alias=True, exclude_none=True) if hasattr(answer, "model_dump") else answer
    if not isinstance(answer, dict):
        return False
    value = answer.get(ANSWERS["answers"][question["method"]])
    if question["method"] != "elicitation/create":
        return value is not None
    wanted = question["params"]["requestedSchema"]["required"]
    return answer.get("action") == "accept" and all(isinstance((value or {}).get(field), (str, bool)) for field in wanted)


async def call_tool(context, params):
    if params.name not in TOOLS:
        raise MCPError(INVALID_PARAMS, "unknown tool")
    return await code_of(params.name)(context, params)


async def list_tools(context, params):
    return types.ListToolsResult.model_validate({"tools": list(TOOLS.values())})


async def list_prompts(context, params):
    return types.ListPromptsResult.model_validate({"prompts": CATALOGUE["prompts"]})


async def get_prompt(context, params):
    def messages(found):
        return types.GetPromptResult.model_validate({"messages": [{"role": "user", "content": content} for content in found]})

    if params.name in ANSWERS["rounds"]:
        return await round_of(context, params, lambda words: messages([{"type": "text", "text": words}]))
    if params.name not in ANSWERS["prompts"]:
        raise MCPError(INVALID_PARAMS, "unknown prompt")
    return messages(filled(ANSWERS["prompts"][params.name], params.arguments or {}))


def filled(value, arguments):
    if isinstance(value, str):
        for name, argument in arguments.items():
            value = value.replace("{" + name + "}", argument)
    elif isinstance(value, list):
        return [filled(item, arguments) for item in value]
    elif isinstance(value, dict):
        return {key: filled(item, arguments) for key, item in value.items()}
    return value


async def list_resources(context, params):
    return types.ListResourcesResult.model_validate({"resources": CATALOGUE["resources"]})


async def list_templates(context, params):
    return types.ListResourceTemplatesResult.model_validate({"resourceTemplates": CATALOGUE["resourceTemplates"]})


async def read_resource(context, params):
    uri = str(params.uri)
    found = ANSWERS["resources"].get(uri)
    identifier = uri.removeprefix("test://template/").removesuffix("/data")
    if found is None and uri == f"test://template/{identifier}/data" and identifier and "/" not in identifier:
        data = {"id": identifier, "templateTest": True, "data": f"Data for ID: {identifier}"}
        found = {"mimeType": "application/json", "text": json.dumps(data)}
    if found is None:
        raise MCPError(INVALID_PARAMS if context.protocol_version >= "2026-07-28" else -32002, "unknown resource", {"uri": uri})
    return types.ReadResourceResult.model_validate({"contents": [{"uri": uri, **found}]})


async def complete(context, params):
    values = [value for value in ANSWERS["completions"] if value.startswith(params.argument.value)]
    return types.CompleteResult.model_validate({"completion": {"values": values, "total": len(values), "hasMore": False}})


async def accept(context, params):
    return types.EmptyResult()


class Events:
    """What was sent on streams, so that clients can come back for it."""

    def __init__(self):
        self.sent = []

    async def store_event(self, stream_id, message):
        self.sent.append((stream_id, message))
        return str(len(self.sent))

    async def replay_events_after(self, last_event_id, send):
        last = int(last_event_id) if last_event_id.isdigit() else 0
        if not 0 < last <= len(self.sent):
            return None
        stream = self.sent[last - 1][0]
        for number, (of, message) in enumerate(self.sent[last:], last + 1):
            # The event that only carries an id has no message.
            if of == stream and message is not None:
                await send(EventMessage(message, str(number)))
        return stream


def build():
    server = Server(
        "everything-py", version="1.0.0",
        get_tool_input_schema=lambda name: TOOLS.get(name, {}).get("inputSchema"),
        on_list_tools=list_tools, on_call_tool=call_tool, on_list_prompts=list_prompts, on_get_prompt=get_prompt,
        on_list_resources=list_resources, on_list_resource_templates=list_templates, on_read_resource=read_resource,
        on_subscribe_resource=accept, on_unsubscribe_resource=accept, on_set_logging_level=accept,
        on_subscriptions_listen=ListenHandler(bus), on_completion=complete,
    )
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=server.name))
    return server.streamable_http_app(event_store=Events(), retry_interval=int(PAUSE_SECONDS * 1000))


async def main():
    listener = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "0"))))
    print(json.dumps({"url": f"http://localhost:{listener.getsockname()[1]}/mcp", "pid": os.getpid()}), flush=True)
    await uvicorn.Server(uvicorn.Config(build(), log_level="warning")).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(main())
