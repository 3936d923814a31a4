/** What the fake server knows, in memory: conversations, messages, turns with their logs, providers. */
import { scriptFor } from './scripts.mjs';

let made = 0;
const newId = (kind) => `${kind}_${String(++made).padStart(5, '0')}`;
const now = () => new Date().toISOString();

export class Store {
    conversations = new Map();
    messages = new Map();
    turns = new Map();
    requests = new Map();
    providers = [
        {
            id: 'local',
            name: 'Embedded demo',
            format: 'local',
            base_url: null,
            default_model: 'tiny-demo',
            is_default: true,
            has_key: false,
            tools: false,
            created_at: now(),
        },
    ];
    listeners = new Set();
    rules = [];

    notify(kind, conversationId, turn) {
        const notice = {
            kind,
            conversation_id: conversationId,
            ...(turn ? { turn_id: turn.id, status: turn.status } : {}),
        };
        for (const listener of this.listeners) listener(notice);
    }

    createConversation(fields = {}) {
        const settings = {
            system_prompt: null,
            provider_id: null,
            model: null,
            temperature: null,
            max_tokens: null,
            tools_enabled: true,
            thinking: null,
            rules: [],
        };
        const conversation = {
            id: newId('c'),
            title: '',
            title_source: 'auto',
            ...settings,
            leaf_id: null,
            pinned: false,
            unread: false,
            created_at: now(),
            updated_at: now(),
            ...fields,
        };
        this.conversations.set(conversation.id, conversation);
        return conversation;
    }

    view(conversation) {
        const turns = [...this.turns.values()].filter(
            (turn) => turn.conversation_id === conversation.id && !turn.ended,
        );
        return { ...conversation, turns: turns.map(turnRef) };
    }

    addMessage(conversationId, parentId, role, text = '') {
        const message = {
            id: newId('m'),
            conversation_id: conversationId,
            parent_id: parentId,
            role,
            text,
            created_at: now(),
        };
        this.messages.set(message.id, message);
        return message;
    }

    messageView(message) {
        const siblings = [...this.messages.values()].filter(
            (other) =>
                other.conversation_id === message.conversation_id &&
                other.parent_id === message.parent_id &&
                other.role === message.role,
        );
        const view = { ...message, siblings: siblings.map((other) => other.id) };
        if (message.role === 'user') return view;
        const turn = this.turns.get(message.turn_id);
        const steps = (turn?.steps ?? message.steps ?? []).filter((step) => step.state !== 'void');
        const text = steps
            .filter((step) => step.type === 'text')
            .map((step) => step.content)
            .join('');
        return {
            ...view,
            text,
            steps,
            status: turn?.status ?? 'done',
            provider: 'local',
            model: 'tiny-demo',
            error: turn?.error ?? null,
            finish_reason: turn ? (turn.finish ?? null) : 'stop',
            token_count: Math.ceil(text.length / 4),
            usage: {},
            turn: turn && !turn.ended ? turnRef(turn) : null,
        };
    }

    /** The branch that ends in the message, oldest first. */
    branch(leafId) {
        const path = [];
        for (let at = this.messages.get(leafId); at; at = this.messages.get(at.parent_id)) path.unshift(at);
        return path;
    }

    /** A user message stands for the newest answer below it. */
    leafBelow(id) {
        const message = this.messages.get(id);
        if (message?.role !== 'user') return id;
        return [...this.messages.values()].findLast((other) => other.parent_id === id)?.id ?? id;
    }

    startTurn(conversation, userMessage, kept = []) {
        const answer = this.addMessage(conversation.id, userMessage.id, 'assistant');
        const turn = {
            id: newId('t'),
            conversation_id: conversation.id,
            message_id: answer.id,
            user_message_id: userMessage.id,
            status: 'active',
            seq: 0,
            epoch: 1,
            ended: false,
            steps: [],
            log: [],
            readers: new Set(),
            error: null,
        };
        answer.turn_id = turn.id;
        conversation.leaf_id = answer.id;
        conversation.updated_at = now();
        if (!conversation.title) conversation.title = userMessage.text.slice(0, 60);
        this.turns.set(turn.id, turn);
        this.append(turn, 'turn', {
            turn_id: turn.id,
            message_id: answer.id,
            user_message_id: userMessage.id,
            conversation_id: conversation.id,
            provider: 'local',
            model: 'tiny-demo',
        });
        for (const step of kept) this.putStep(turn, { ...step, state: 'complete' });
        this.notify('turn_started', conversation.id, turn);
        void this.play(turn, scriptFor(userMessage.text));
        return turn;
    }

    append(turn, name, data) {
        const entry = { seq: ++turn.seq, name, data: JSON.stringify(data) };
        turn.log.push(entry);
        for (const reader of turn.readers) reader(entry);
    }

    putStep(turn, step) {
        turn.steps[step.index] = step;
        this.append(turn, 'process_step', { step: { ...step } });
    }

    end(turn, status, name, data) {
        turn.status = status;
        turn.ended = true;
        this.append(turn, name, data);
        turn.readers.clear();
        this.notify('turn_ended', turn.conversation_id, turn);
    }

    cancel(turn) {
        if (turn.ended) return;
        for (const step of turn.steps)
            if (step.state === 'running')
                this.putStep(turn, {
                    ...step,
                    state: step.type === 'text' || step.type === 'thinking' ? 'complete' : 'failed',
                });
        this.end(turn, 'cancelled', 'cancelled', { message_id: turn.message_id });
    }

    async play(turn, script) {
        let step;
        let call = 1;
        for (const [kind, first, second] of script) {
            if (turn.ended) return;
            if (kind === 'start') this.putStep(turn, (step = this.newStep(turn, first, call, { content: '' })));
            else if (kind === 'delta') {
                step.content += first;
                this.append(turn, 'step_delta', { index: step.index, text: first });
                await pause(second);
            } else if (kind === 'end') this.putStep(turn, Object.assign(step, { state: 'complete' }));
            else if (kind === 'tools') await this.playTools(turn, first, call++);
            else if (kind === 'recover') this.recover(turn);
            else if (kind === 'fail') {
                turn.error = { code: first, content: second };
                return this.end(turn, 'failed', 'error', { ...turn.error, message_id: turn.message_id });
            } else if (kind === 'done') turn.finish = first;
        }
        if (!turn.ended)
            this.end(turn, 'done', 'done', {
                message_id: turn.message_id,
                token_count: 321,
                usage: {},
                finish_reason: turn.finish ?? 'stop',
            });
    }

    recover(turn) {
        const discarded = turn.steps.filter((step) => step.state !== 'void').map((step) => step.index);
        for (const step of turn.steps) step.state = 'void';
        this.append(turn, 'recovered', { epoch: ++turn.epoch, discarded });
    }

    newStep(turn, type, call, fields) {
        const index = turn.steps.length;
        return { id: `step-${index}`, index, type, state: 'running', call, ...fields };
    }

    async playTools(turn, tools, call) {
        const running = [];
        for (const tool of tools) {
            const step = this.newStep(turn, 'tool_call', call, {
                id_ref: newId('call'),
                name: tool.name,
                arguments: '',
            });
            this.putStep(turn, step);
            for (const piece of tool.arguments.match(/[\s\S]{1,6}/g)) {
                step.arguments += piece;
                this.append(turn, 'step_delta', { index: step.index, text: piece });
                await pause(20);
            }
            this.putStep(turn, Object.assign(step, { state: 'complete' }));
            running.push(this.playTool(turn, tool, step, call));
        }
        await Promise.all(running);
    }

    async playTool(turn, tool, step, call) {
        const result = this.newStep(turn, 'tool_result', call, {
            id_ref: step.id,
            name: tool.name,
            content: '',
            parts: [],
        });
        this.putStep(turn, result);
        await pause(tool.ms / 2);
        if (turn.ended) return;
        this.append(turn, 'tool_progress', { index: result.index, message: 'half way', progress: 1, total: 2 });
        await pause(tool.ms / 2);
        if (!turn.ended)
            this.putStep(
                turn,
                Object.assign(result, {
                    state: tool.failed ? 'failed' : 'complete',
                    content: tool.result,
                    duration_ms: tool.ms,
                }),
            );
    }
}

export function turnRef(turn) {
    return { id: turn.id, status: turn.status, seq: turn.seq, message_id: turn.message_id };
}

const pause = (ms) =>
    ms ? new Promise((resolve) => setTimeout(resolve, ms)) : new Promise((resolve) => setImmediate(resolve));

/** Fill the store with conversations to look at. */
export function seed(store, count = 90) {
    const topics = [
        'Group commit and latency',
        'A packing list for the Alps',
        'Why is the sky blue?',
        'Refactor the parser',
        'Dinner for six',
        'Translate a letter',
        'SQL window functions',
    ];
    for (let i = count; i > 0; i--) {
        const at = new Date(Date.now() - i * i * 900_000).toISOString();
        const conversation = store.createConversation({
            title: `${topics[i % topics.length]}${i > 7 ? ` (${i})` : ''}`,
            created_at: at,
            updated_at: at,
        });
        let parent = null;
        for (let n = 0; n < (i === 3 ? 250 : 1); n++) {
            const user = store.addMessage(
                conversation.id,
                parent,
                'user',
                `Question ${n + 1} about ${conversation.title.toLowerCase()}`,
            );
            const answer = store.addMessage(conversation.id, user.id, 'assistant');
            const content = `Answer ${n + 1}. Some **text** with \`code\` and a list:\n\n- one\n- two\n\n\`\`\`js\nconst n = ${n};\n\`\`\`\n`;
            answer.steps = [{ id: 'step-0', index: 0, type: 'text', state: 'complete', call: 1, content }];
            parent = answer.id;
        }
        conversation.leaf_id = parent;
    }
}
