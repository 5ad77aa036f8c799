-- The system of record, the runs and the queue.
-- Times are milliseconds since 1970 UTC, 0 for none; ids are made by the
-- application, 0 for none; enumerations are text as in package tracking;
-- attachments, evidence, headers, signer, vars and args are JSON.

create table transmission (
	id integer primary key,
	direction text not null,
	state text not null,
	accepted boolean not null, -- set once, when it was taken in: exactly-once intake counts these alone
	station text not null,
	partner text not null,
	connection text not null,
	connector text not null,
	unique_key text not null,
	message_id text not null,
	filename text not null,
	content_type text not null,
	subject text not null,
	wire_sha256 text not null,
	wire_size bigint not null,
	content_sha256 text not null,
	content_size bigint not null,
	attachments text not null,
	evidence text not null,
	duplicate_of bigint not null,
	attempts integer not null,
	error text not null,
	created_at bigint not null,
	completed_at bigint not null
);
create unique index transmission_accepted on transmission (direction, unique_key) where accepted and unique_key <> '';
create index transmission_partner on transmission (partner, created_at, id);
create index transmission_notable on transmission (created_at, id) where state <> 'processed' and state <> 'delivered';
create index transmission_created on transmission (created_at, id);
create index transmission_message on transmission (message_id) where message_id <> '';
create index transmission_open on transmission (message_id) where state = 'prepared' and direction = 'outbound' and message_id <> '';
create index transmission_filename on transmission (filename) where filename <> '';
create index transmission_duplicate on transmission (duplicate_of) where duplicate_of <> 0;

create table receipt (
	id integer primary key,
	transmission_id bigint not null references transmission (id),
	direction text not null,
	message_id text not null,
	disposition text not null,
	positive boolean not null,
	signed boolean not null,
	async boolean not null,
	async_url text not null,
	mic text not null,
	mic_alg text not null,
	mic_matches boolean not null,
	signer text not null,
	headers text not null,
	body_sha256 text not null,
	body_size bigint not null,
	reason text not null,
	at bigint not null
);
create index receipt_transmission on receipt (transmission_id, id);

create table interchange (
	id integer primary key,
	transmission_id bigint not null,
	direction text not null,
	partner text not null,
	standard text not null,
	version text not null,
	sender_qualifier text not null,
	sender_id text not null,
	receiver_qualifier text not null,
	receiver_id text not null,
	control text not null,
	dated_at bigint not null,
	test boolean not null,
	state text not null,
	payload_sha256 text not null,
	payload_size bigint not null,
	byte_offset bigint not null,
	byte_length bigint not null,
	created_at bigint not null
);
create index interchange_transmission on interchange (transmission_id) where transmission_id <> 0;
create index interchange_control on interchange (control, partner, id);

create table interchange_group (
	id integer primary key,
	interchange_id bigint not null references interchange (id),
	type text not null,
	version text not null,
	control text not null,
	state text not null
);
create index interchange_group_interchange on interchange_group (interchange_id);
create index interchange_group_control on interchange_group (control, type, id);

create table document (
	id integer primary key,
	direction text not null,
	partner text not null,
	standard text not null,
	type text not null,
	version text not null,
	guide text not null,
	interchange_id bigint not null,
	group_id bigint not null,
	control text not null,
	source_id bigint not null,
	delivery_id bigint not null,
	payload_sha256 text not null,
	payload_size bigint not null,
	byte_offset bigint not null,
	byte_length bigint not null,
	segments integer not null,
	state text not null,
	ack text not null,
	ack_due bigint not null,
	ack_at bigint not null,
	overdue_at bigint not null default 0, -- of the last event that said so
	errors integer not null,
	warnings integer not null,
	error text not null,
	test boolean not null,
	created_at bigint not null,
	updated_at bigint not null,
	troubled boolean generated always as (state = 'invalid' or state = 'failed' or ack = 'rejected') stored
);
create index document_partner on document (partner, created_at, id);
create index document_partner_type on document (partner, type, created_at, id);
create index document_type on document (type, created_at, id);
create index document_control on document (control);
create index document_created on document (created_at, id);
create index document_interchange on document (interchange_id) where interchange_id <> 0;
create index document_group on document (group_id) where group_id <> 0;
create index document_source on document (source_id) where source_id <> 0;
create index document_delivery on document (delivery_id) where delivery_id <> 0;
create index document_troubled on document (created_at, id) where troubled;
create index document_partner_troubled on document (partner, created_at, id) where troubled;
create index document_awaited on document (ack_due) where ack = 'awaited';
create index document_overdue on document (ack_due, id) where ack = 'awaited' and direction = 'outbound' and overdue_at < ack_due;

create table document_key (
	document_id bigint not null references document (id),
	position integer not null,
	name text not null,
	value text not null,
	primary key (document_id, position)
) without rowid;
create index document_key_value on document_key (value, document_id, name);

create table issue (
	id integer primary key,
	interchange_id bigint not null,
	document_id bigint not null,
	severity text not null,
	level text not null,
	ack text not null,
	segment text not null,
	ordinal integer not null,
	element integer not null,
	component integer not null,
	path text not null,
	byte_offset bigint not null,
	line integer not null,
	value text not null,
	text text not null,
	reporter text not null
);
create index issue_document on issue (document_id, id) where document_id <> 0;
create index issue_interchange on issue (interchange_id, id) where interchange_id <> 0;

create table acknowledgement (
	id integer primary key,
	type text not null,
	direction text not null,
	carrier_id bigint not null,
	interchange_id bigint not null,
	group_id bigint not null,
	document_id bigint not null,
	status text not null,
	code text not null,
	at bigint not null
);
create index acknowledgement_carrier on acknowledgement (carrier_id) where carrier_id <> 0;
create index acknowledgement_interchange on acknowledgement (interchange_id) where interchange_id <> 0;
create index acknowledgement_group on acknowledgement (group_id) where group_id <> 0;
create index acknowledgement_document on acknowledgement (document_id) where document_id <> 0;

create table event (
	id integer primary key,
	commit_seq bigint not null, -- never falls from one commit to the next: what followers go by
	at bigint not null,
	kind text not null,
	transmission_id bigint not null,
	interchange_id bigint not null,
	document_id bigint not null,
	partner text not null,
	text text not null,
	actor text not null
);
create index event_commit on event (commit_seq, id);
create index event_transmission on event (transmission_id, id) where transmission_id <> 0;
create index event_interchange on event (interchange_id, id) where interchange_id <> 0;
create index event_document on event (document_id, id) where document_id <> 0;

create table control_seen (
	scope text not null,
	control text not null,
	interchange_id bigint not null,
	seen_at bigint not null,
	primary key (scope, control)
) without rowid;

create table control_out (
	scope text primary key not null,
	last bigint not null
) without rowid;

create table run (
	id integer primary key,
	process text not null,
	version integer not null,
	parent_id bigint not null,
	transmission_id bigint not null,
	document_id bigint not null,
	partner text not null,
	state text not null,
	step_index integer not null,
	vars text not null,
	attempt integer not null,
	error text not null,
	created_at bigint not null,
	updated_at bigint not null
);
create index run_transmission on run (transmission_id, id) where transmission_id <> 0;
create index run_document on run (document_id, id) where document_id <> 0;

create table run_step (
	id integer primary key,
	run_id bigint not null references run (id),
	step text not null,
	attempt integer not null,
	started_at bigint not null,
	ended_at bigint not null,
	outcome text not null,
	detail text not null
);
create index run_step_run on run_step (run_id, id);

create table lane (
	name text primary key not null,
	seq bigint not null, -- the last one given to a job
	paused boolean not null,
	due_at bigint -- from when on the head can be claimed; null without a job to work
) without rowid;
create index lane_due on lane (due_at) where due_at is not null and not paused;

create table job (
	id integer primary key,
	lane text not null references lane (name),
	seq bigint not null,
	kind text not null,
	args text not null,
	state text not null,
	attempt integer not null,
	run_at bigint not null,
	lease_until bigint not null,
	owner text not null,
	fence bigint not null,
	last_error text not null,
	created_at bigint not null
);
create unique index job_lane on job (lane, seq) where state <> 'dead';
create index job_owner on job (owner) where state = 'claimed';
create index job_dead on job (lane, id) where state = 'dead';

create table login_token (
	hash text primary key not null, -- SHA-256, hex
	kind text not null,
	expires_at bigint not null
) without rowid;

create table console_session (
	hash text primary key not null, -- SHA-256 of the cookie, hex
	user_name text not null,
	created_at bigint not null,
	expires_at bigint not null
) without rowid;

create table node (
	number integer primary key, -- part of every id that a process makes
	owner text not null,
	until bigint not null -- not given to another process before
);
