"""Starting: turn a person's request into a turn with all its settings frozen."""

from typing import TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from luxx.core.errors import Conflict, InvalidRequest, NotFound
from luxx.core.ids import new_id
from luxx.core.ports import Tools
from luxx.core.rules import ToolRule, action_for
from luxx.core.steps import Summary, ToolCall
from luxx.store.interface import Store
from luxx.store.records import (
    Conversation,
    ConversationSettings,
    Message,
    NewTurn,
    NewUserMessage,
    Provider,
    TurnSettings,
)
from luxx.turns.endpoints import Endpoints
from luxx.turns.history import complete_steps
from luxx.turns.requests import AnswerAgain, Overrides, PostMessage

T = TypeVar("T")
TITLE_CHARACTERS = 60


class Starter:
    """Resolves what a turn runs with: the request's overrides, then the conversation's settings, then the provider's default."""

    def __init__(self, store: Store, endpoints: Endpoints, tools: Tools, max_iterations: int) -> None:
        self._store = store
        self._endpoints = endpoints
        self._tools = tools
        self._max_iterations = max_iterations

    async def post(self, owner: str, post: PostMessage) -> NewTurn:
        """Return the turn that answers a new message. Raises NotFound, InvalidRequest."""
        if not (post.text.strip() or post.attachments):
            raise InvalidRequest("must not be empty", field="text")
        conversation = await self._store.conversations.get(owner, post.conversation_id)
        return NewTurn(
            id=new_id(),
            conversation_id=conversation.id,
            message_id=new_id(),
            settings=replace(
                await self._settings(owner, conversation, post.overrides), steers=post.on_busy == "interrupt"
            ),
            user=NewUserMessage(id=new_id(), text=post.text, parent_id=post.parent_id, files=post.attachments),
            title=first_words(post.text.lstrip()) or await self._name(owner, post.attachments[0]),
            on_busy=post.on_busy,
            request=post.request,
        )

    async def _name(self, owner: str, file_id: str) -> str:
        """Return what names a conversation that begins with a file alone. Raises InvalidRequest."""
        try:
            return first_words((await self._store.files.get(owner, file_id)).name)
        except NotFound as error:
            raise InvalidRequest(error.message, field="attachments") from error

    async def again(self, owner: str, again: AnswerAgain, keep: bool) -> NewTurn:
        """Return the turn that makes another answer beside a message, or with `keep` goes on from it.

        Raises NotFound, InvalidRequest.
        """
        message = await self._store.conversations.message(owner, again.message_id)
        conversation = await self._store.conversations.get(owner, message.conversation_id)
        settings = await self._settings(owner, conversation, again.overrides)
        if keep:
            settings = _keep(settings, message)
        elif again.summary is not None:
            settings = replace(settings, summary=_rewritten(message, again.summary))
        return NewTurn(
            id=new_id(),
            conversation_id=conversation.id,
            message_id=new_id(),
            settings=settings,
            answer_to=message.id if message.role == "user" else message.parent_id,
            request=again.request,
        )

    async def _settings(self, owner: str, conversation: Conversation, overrides: Overrides) -> TurnSettings:
        chosen = conversation.settings
        provider = await self._endpoints.resolve(owner, _first(overrides.provider_id, chosen.provider_id))
        tools_enabled = _first(overrides.tools_enabled, chosen.tools_enabled)
        model = _model(provider, chosen, overrides)
        rules = (*chosen.rules, *conversation.person_rules)
        return TurnSettings(
            provider_id=provider.id,
            provider=provider.name,
            model=model,
            price=self._endpoints.price(owner, provider, model),
            system_prompt=chosen.system_prompt,
            temperature=_first(overrides.temperature, chosen.temperature),
            max_tokens=_first(overrides.max_tokens, chosen.max_tokens),
            thinking=_first(overrides.thinking, chosen.thinking),
            tools=await self._allowed(owner, rules) if tools_enabled else (),
            targets=await self._tools.targets(owner) if tools_enabled else {},
            max_iterations=self._max_iterations,
        )

    async def _allowed(self, owner: str, rules: tuple[ToolRule, ...]) -> tuple[str, ...]:
        """Return the names of the tools to offer: a model is not told of what it may not use."""
        offered = await self._tools.offered(owner)
        return tuple(tool.name for tool in offered if action_for(rules, tool.name) != "deny")


def first_words(text: str) -> str:
    """Return a title made of a message's first words."""
    line = " ".join(text[: TITLE_CHARACTERS * 4].split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"


def _first(override: T | UnsetType, chosen: T) -> T:
    return chosen if isinstance(override, UnsetType) else override


def _model(provider: Provider, chosen: ConversationSettings, overrides: Overrides) -> str:
    """Return the model's name, None is the provider's default; a model chosen for one provider is not asked of another."""
    same = overrides.provider_id is UNSET or overrides.provider_id == chosen.provider_id
    model = _first(overrides.model, chosen.model if same else None) or provider.default_model
    if not model:
        raise InvalidRequest(f"The provider {provider.name!r} has no default model: name one.", field="model")
    return model


def _rewritten(message: Message, content: str) -> Summary:
    """Return the summary that an answer begins with, in a person's words."""
    for step in complete_steps(message):
        if isinstance(step, Summary) and step.until and step.state == "complete":
            return replace(step, content=content)
    raise InvalidRequest("This answer holds no summary.", field="summary")


def _keep(settings: TurnSettings, message: Message) -> TurnSettings:
    if message.role != "assistant" or message.turn is None:
        raise InvalidRequest("Only an answer can be continued.", field="id")
    if not message.turn.ended:
        raise Conflict("turn_running", "The answer is still in progress.", message.turn.id)
    # A call whose arguments were cut is not taken over: if its model call had nothing else, that one's number is given anew.
    calls = [
        step.call for step in complete_steps(message) if not (isinstance(step, ToolCall) and step.state == "failed")
    ]
    return replace(settings, kept=message.id, kept_calls=max(calls)) if calls else settings
