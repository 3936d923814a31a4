"""Small exports of other systems, in the shapes that they have, made for the tests."""

from typing import Any

Node = dict[str, Any]


def chatgpt_node(node_id: str, parent: str | None, role: str = "", said: object = None, **message: object) -> Node:
    """Return a node of a ChatGPT mapping; without a role, one without a message."""
    if not role:
        return {"id": node_id, "message": None, "parent": parent, "children": []}
    content = said if isinstance(said, dict) else {"content_type": "text", "parts": [said]}
    about = {"author": {"role": role, "name": message.pop("tool", None), "metadata": {}}, "recipient": "all"}
    whole = {"id": node_id, "create_time": 1756000000.5, "content": content, "status": "finished_successfully"}
    return {"id": node_id, "parent": parent, "children": [], "message": {**whole, **about, "metadata": {}, **message}}


def chatgpt(*nodes: Node, current: str | None = None, **fields: object) -> dict[str, Any]:
    """Return a ChatGPT conversation."""
    about = {"title": "A talk", "create_time": 1756000000.1, "update_time": 1756000400.6, "conversation_id": "gpt-1"}
    return {**about, "mapping": {node["id"]: node for node in nodes}, "current_node": current, **fields}


CHATGPT = chatgpt(
    chatgpt_node("root", None),
    chatgpt_node("sys", "root", "system", "", metadata={"is_visually_hidden_from_conversation": True}),
    chatgpt_node(
        "about",
        "sys",
        "user",
        {"content_type": "user_editable_context", "user_profile": "An engineer.", "user_instructions": "Be brief."},
        metadata={"is_visually_hidden_from_conversation": True},
    ),
    chatgpt_node(
        "q1",
        "about",
        "user",
        {
            "content_type": "multimodal_text",
            "parts": [
                {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-abc"},
                "What is it?",
            ],
        },
    ),
    chatgpt_node(
        "think",
        "q1",
        "assistant",
        {"content_type": "thoughts", "thoughts": [{"summary": "Looking", "content": "I look."}]},
        metadata={"model_slug": "o3"},
    ),
    chatgpt_node(
        "code",
        "think",
        "assistant",
        {"content_type": "code", "language": "unknown", "text": "print(1)"},
        recipient="python",
    ),
    chatgpt_node("out", "code", "tool", {"content_type": "execution_output", "text": "1"}, tool="python"),
    chatgpt_node("a1", "out", "assistant", "It is a one.", metadata={"model_slug": "o3"}),
    chatgpt_node("a1b", "q1", "assistant", "It is a cat.", metadata={"model_slug": "gpt-4o"}),
    chatgpt_node("q2", "a1", "user", "Sure?"),
    chatgpt_node("a2", "q2", "assistant", "Yes."),
    current="a2",
)

CLAUDE: dict[str, Any] = {
    "uuid": "claude-1",
    "name": "Of bees",
    "created_at": "2025-05-01T10:00:00.000000Z",
    "updated_at": "2025-05-01T10:05:00+02:00",
    "account": {"uuid": "x"},
    "chat_messages": [
        {
            "uuid": "c1",
            "text": "Look this up",
            "content": [{"type": "text", "text": "Look this up", "citations": []}],
            "sender": "human",
            "created_at": "2025-05-01T10:00:01.000000Z",
            "attachments": [
                {"file_name": "a.txt", "file_type": "txt", "file_size": 3, "extracted_content": "```\nbee"}
            ],
            "files": [{"file_name": "photo.png"}],
        },
        {
            "uuid": "c2",
            "text": "Found.",
            "sender": "assistant",
            "created_at": "2025-05-01T10:00:02.000000Z",
            "content": [
                {"type": "thinking", "thinking": "Hm."},
                {"type": "tool_use", "id": "toolu_1", "name": "web_search", "input": {"query": "bees"}},
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "name": "web_search",
                    "is_error": False,
                    "content": [{"type": "text", "text": "Bees live in hives."}],
                },
                {"type": "text", "text": "Found."},
                {"type": "flag", "flag": "x"},
            ],
            "attachments": [],
            "files": [],
        },
    ],
}

OPEN_WEBUI: dict[str, Any] = {
    "id": "owui-1",
    "title": "Weather",
    "created_at": 1700001000,
    "updated_at": 1700001020,
    "chat": {
        "title": "Weather",
        "models": ["gpt-4o"],
        "history": {
            "currentId": "w2",
            "messages": {
                "w1": {"id": "w1", "parentId": None, "role": "user", "content": "Rain?", "timestamp": 1700001000},
                "w2": {
                    "id": "w2",
                    "parentId": "w1",
                    "role": "assistant",
                    "model": "gpt-4o",
                    "timestamp": 1700001020,
                    "done": True,
                    "content": "Rain.",
                    "output": [
                        {"type": "reasoning", "content": [{"type": "output_text", "text": "Think."}]},
                        {
                            "type": "function_call",
                            "call_id": "k1",
                            "name": "get_weather",
                            "arguments": '{"city": "Ulm"}',
                        },
                        {
                            "type": "function_call_output",
                            "call_id": "k1",
                            "output": [{"type": "input_text", "text": "rain"}],
                        },
                        {"type": "message", "content": [{"type": "output_text", "text": "Rain."}]},
                    ],
                },
                "w3": {
                    "id": "w3",
                    "parentId": "w1",
                    "role": "assistant",
                    "model": "r1",
                    "timestamp": 1700001030,
                    "content": (
                        '<details type="reasoning" done="true" duration="3">\n<summary>Thought</summary>\n&gt; Is it &lt;wet&gt;?\n'
                        '</details>\n<details type="tool_calls" done="true" id="k2" name="look" arguments="{&quot;a&quot;: 1}"'
                        ' result="dry"><summary>Tool Executed</summary></details>\nNo rain.'
                    ),
                },
            },
        },
    },
}

_OF_NOBODY = "00000000-0000-0000-0000-000000000000"
LIBRECHAT: dict[str, Any] = {
    "conversationId": "libre-1",
    "endpoint": "openAI",
    "title": "Stories",
    "branches": True,
    "recursive": False,
    "options": {"model": "gpt-4o", "promptPrefix": "Tell stories."},
    "messages": [
        {
            "messageId": "l1",
            "parentMessageId": _OF_NOBODY,
            "isCreatedByUser": True,
            "text": "A story",
            "sender": "User",
        },
        {
            "messageId": "l2",
            "parentMessageId": "l1",
            "isCreatedByUser": False,
            "model": "gpt-4o",
            "text": "",
            "createdAt": "2024-05-28T18:08:55.390Z",
            "tokenCount": 78,
            "content": [
                {"type": "think", "think": "Once?"},
                {
                    "type": "tool_call",
                    "tool_call": {"id": "t1", "name": "dice", "args": '{"n": 6}', "output": "4", "progress": 1},
                },
                {"type": "text", "text": {"value": "Once upon a time."}},
            ],
        },
        {
            "messageId": "l3",
            "parentMessageId": "l1",
            "isCreatedByUser": False,
            "model": "gpt-4o",
            "text": "There was",
            "unfinished": True,
        },
    ],
}
