CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE meta (
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE person (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	role TEXT NOT NULL,
	created_at TEXT NOT NULL, rules BLOB,
	PRIMARY KEY (id),
	CONSTRAINT person_role CHECK (role IN ('owner', 'member'))
);
CREATE TABLE provider (
	id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	ordinal INTEGER NOT NULL,
	name TEXT NOT NULL,
	format TEXT NOT NULL,
	base_url TEXT,
	default_model TEXT,
	api_key BLOB,
	is_default BOOLEAN NOT NULL,
	created_at TEXT NOT NULL, preset TEXT, fallback_id TEXT, prices BLOB,
	PRIMARY KEY (id),
	CONSTRAINT provider_name UNIQUE (owner_id, name),
	CONSTRAINT provider_ordinal UNIQUE (owner_id, ordinal),
	FOREIGN KEY(owner_id) REFERENCES person (id)
);
CREATE UNIQUE INDEX provider_default ON provider (owner_id) WHERE is_default;
CREATE TABLE conversation (
	id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	title TEXT NOT NULL,
	title_source TEXT NOT NULL,
	system_prompt TEXT,
	provider_id TEXT,
	model TEXT,
	temperature DOUBLE,
	max_tokens BIGINT,
	tools_enabled BOOLEAN NOT NULL,
	leaf_id TEXT,
	created_at TEXT NOT NULL,
	updated_at TEXT NOT NULL,
	deleted_at TEXT, rules BLOB, thinking TEXT, pinned BOOLEAN DEFAULT 0 NOT NULL, unread BOOLEAN DEFAULT 0 NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT conversation_title_source CHECK (title_source IN ('auto', 'user')),
	FOREIGN KEY(owner_id) REFERENCES person (id),
	FOREIGN KEY(provider_id) REFERENCES provider (id) ON DELETE SET NULL
);
CREATE INDEX conversation_activity ON conversation (owner_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX conversation_deleted ON conversation (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX conversation_provider ON conversation (provider_id);
CREATE TABLE message (
	id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	conversation_id TEXT NOT NULL,
	parent_id TEXT,
	ordinal BIGINT NOT NULL,
	role TEXT NOT NULL,
	text TEXT NOT NULL,
	created_at TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT message_ordinal UNIQUE (conversation_id, ordinal),
	CONSTRAINT message_place UNIQUE (conversation_id, id),
	CONSTRAINT message_parent FOREIGN KEY(conversation_id, parent_id) REFERENCES message (conversation_id, id),
	CONSTRAINT message_role CHECK (role IN ('user', 'assistant')),
	FOREIGN KEY(owner_id) REFERENCES person (id),
	FOREIGN KEY(conversation_id) REFERENCES conversation (id)
);
CREATE INDEX message_children ON message (conversation_id, parent_id, ordinal);
CREATE TABLE node (
	id TEXT NOT NULL,
	started_at TEXT NOT NULL, expires DATETIME,
	PRIMARY KEY (id)
);
CREATE TABLE turn (
	number INTEGER NOT NULL,
	id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	conversation_id TEXT NOT NULL,
	message_id TEXT NOT NULL,
	user_message_id TEXT NOT NULL,
	status TEXT NOT NULL,
	node TEXT,
	epoch BIGINT NOT NULL,
	cancel BOOLEAN NOT NULL,
	takeovers INTEGER NOT NULL,
	settings BLOB NOT NULL,
	created_at TEXT NOT NULL,
	ended_at TEXT,
	finish_reason TEXT,
	token_count BIGINT,
	usage BLOB,
	error_code TEXT,
	error_content TEXT,
	compacted BOOLEAN NOT NULL,
	PRIMARY KEY (number),
	CONSTRAINT turn_status CHECK (status IN ('queued', 'active', 'waiting', 'done', 'failed', 'cancelled')),
	CONSTRAINT turn_ended_at CHECK ((ended_at IS NULL) = (status IN ('queued', 'active', 'waiting'))),
	UNIQUE (id),
	FOREIGN KEY(owner_id) REFERENCES person (id),
	FOREIGN KEY(conversation_id) REFERENCES conversation (id),
	UNIQUE (message_id),
	FOREIGN KEY(message_id) REFERENCES message (id),
	FOREIGN KEY(user_message_id) REFERENCES message (id),
	FOREIGN KEY(node) REFERENCES node (id) ON DELETE SET NULL
);
CREATE INDEX turn_question ON turn (user_message_id);
CREATE INDEX turn_unfinished ON turn (status) WHERE ended_at IS NULL;
CREATE INDEX turn_node ON turn (node) WHERE node IS NOT NULL;
CREATE INDEX turn_hot ON turn (ended_at) WHERE ended_at IS NOT NULL AND NOT compacted;
CREATE INDEX turn_conversation ON turn (conversation_id, ended_at);
CREATE TABLE request (
	owner_id TEXT NOT NULL,
	target TEXT NOT NULL,
	client_request_id TEXT NOT NULL,
	body_hash BLOB NOT NULL,
	result TEXT NOT NULL,
	conversation_id TEXT NOT NULL,
	created_at TEXT NOT NULL,
	PRIMARY KEY (owner_id, target, client_request_id),
	FOREIGN KEY(owner_id) REFERENCES person (id),
	FOREIGN KEY(conversation_id) REFERENCES conversation (id)
);
CREATE INDEX request_conversation ON request (conversation_id);
CREATE TABLE model_call (
	turn BIGINT NOT NULL,
	n INTEGER NOT NULL,
	provider TEXT NOT NULL,
	model TEXT NOT NULL,
	format TEXT NOT NULL,
	finish_reason TEXT NOT NULL,
	usage BLOB NOT NULL,
	raw BLOB NOT NULL,
	PRIMARY KEY (turn, n),
	FOREIGN KEY(turn) REFERENCES turn (number)
);
CREATE TABLE step (
	turn BIGINT NOT NULL,
	idx INTEGER NOT NULL,
	call_n INTEGER NOT NULL,
	type TEXT NOT NULL,
	state TEXT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (turn, idx),
	CONSTRAINT step_state CHECK (state IN ('running', 'complete', 'failed', 'void')),
	FOREIGN KEY(turn) REFERENCES turn (number)
);
CREATE TABLE event (
	turn BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	epoch BIGINT NOT NULL,
	name TEXT NOT NULL,
	data BLOB,
	step_index INTEGER,
	CONSTRAINT event_seq UNIQUE (turn, seq),
	CONSTRAINT event_data CHECK ((data IS NULL) = (step_index IS NOT NULL))
);
CREATE INDEX turn_free ON turn (number) WHERE node IS NULL AND status = 'active';
CREATE TABLE approval (
	turn BIGINT NOT NULL,
	idx INTEGER NOT NULL,
	tool TEXT NOT NULL,
	state TEXT NOT NULL,
	asked BLOB NOT NULL,
	arguments BLOB,
	always BOOLEAN NOT NULL,
	expires_at TEXT NOT NULL,
	applied BOOLEAN NOT NULL,
	PRIMARY KEY (turn, idx),
	CONSTRAINT approval_state CHECK (state IN ('requested', 'approved', 'denied', 'expired')),
	FOREIGN KEY(turn) REFERENCES turn (number)
);
CREATE INDEX approval_open ON approval (expires_at) WHERE state = 'requested';
CREATE INDEX approval_decided ON approval (expires_at) WHERE NOT applied AND state <> 'requested';
CREATE TABLE blob (
	hash BLOB NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (hash)
);
CREATE TABLE file (
	id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	conversation_id TEXT,
	hash BLOB NOT NULL,
	name TEXT NOT NULL,
	media_type TEXT NOT NULL,
	size BIGINT NOT NULL,
	created_at TEXT NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(owner_id) REFERENCES person (id),
	FOREIGN KEY(conversation_id) REFERENCES conversation (id),
	FOREIGN KEY(hash) REFERENCES blob (hash)
);
CREATE INDEX file_conversation ON file (conversation_id, created_at);
CREATE INDEX file_hash ON file (hash);
CREATE INDEX file_loose ON file (created_at) WHERE conversation_id IS NULL;
CREATE TABLE message_file (
	message_id TEXT NOT NULL,
	ordinal INTEGER NOT NULL,
	file_id TEXT NOT NULL,
	PRIMARY KEY (message_id, ordinal),
	FOREIGN KEY(message_id) REFERENCES message (id),
	FOREIGN KEY(file_id) REFERENCES file (id)
);
CREATE INDEX message_file_file ON message_file (file_id);
CREATE TABLE tool_server (
	id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	target BLOB NOT NULL,
	secrets BLOB,
	trusted BOOLEAN NOT NULL,
	enabled BOOLEAN NOT NULL,
	tools BLOB,
	created_at TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT tool_server_name UNIQUE (owner_id, name),
	CONSTRAINT tool_server_kind CHECK (kind IN ('stdio', 'http', 'openapi')),
	FOREIGN KEY(owner_id) REFERENCES person (id)
);
CREATE TABLE share (
	id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	conversation_id TEXT NOT NULL,
	token_hash BLOB NOT NULL,
	title TEXT NOT NULL,
	include BLOB NOT NULL,
	body BLOB NOT NULL,
	created_at TEXT NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(owner_id) REFERENCES person (id),
	FOREIGN KEY(conversation_id) REFERENCES conversation (id),
	UNIQUE (token_hash)
);
CREATE INDEX share_conversation ON share (conversation_id);
CREATE TABLE imported (
	owner_id TEXT NOT NULL,
	source TEXT NOT NULL,
	source_id TEXT NOT NULL,
	conversation_id TEXT NOT NULL,
	PRIMARY KEY (owner_id, source, source_id),
	FOREIGN KEY(owner_id) REFERENCES person (id),
	FOREIGN KEY(conversation_id) REFERENCES conversation (id)
);
CREATE INDEX imported_conversation ON imported (conversation_id);
CREATE TABLE searchable (
	number INTEGER NOT NULL,
	message_id TEXT NOT NULL,
	"indexed" BOOLEAN NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (message_id)
);
CREATE INDEX searchable_new ON searchable (number) WHERE NOT indexed;
CREATE VIRTUAL TABLE message_search USING fts5(text, content='', tokenize='trigram', detail='none', columnsize=0);
CREATE TRIGGER message_said AFTER INSERT ON message WHEN new.text <> '' BEGIN
            INSERT INTO searchable (message_id, indexed) VALUES (new.id, false);
        END;
CREATE TRIGGER message_changed AFTER UPDATE OF text ON message WHEN new.text <> old.text BEGIN
            INSERT INTO message_search (message_search, rowid, text)
                SELECT 'delete', number, old.text FROM searchable WHERE message_id = old.id AND indexed;
            DELETE FROM searchable WHERE message_id = old.id;
            INSERT INTO searchable (message_id, indexed) SELECT new.id, false WHERE new.text <> '';
        END;
CREATE TRIGGER message_gone BEFORE DELETE ON message BEGIN
            INSERT INTO message_search (message_search, rowid, text)
                SELECT 'delete', number, old.text FROM searchable WHERE message_id = old.id AND indexed;
            DELETE FROM searchable WHERE message_id = old.id;
        END;
CREATE INDEX conversation_pinned ON conversation (owner_id, updated_at, id) WHERE pinned AND deleted_at IS NULL;
INSERT INTO alembic_version (version_num) VALUES ('0006');
