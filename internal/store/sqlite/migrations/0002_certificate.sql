-- Certificates that were offered by an exchange of certificates, and the notices
-- given about certificates. Times, ids and enumerations are as in 0001;
-- certificate and purposes are JSON.

create table certificate_offer (
	id integer primary key,
	direction text not null,
	partner text not null,
	state text not null,
	request_id text not null,
	certificate text not null,
	pem text not null,
	purposes text not null,
	go_live bigint not null,
	respond_by bigint not null,
	transmission_id bigint not null,
	reason text not null,
	actor text not null,
	offered_at bigint not null,
	decided_at bigint not null
);
create index certificate_offer_request on certificate_offer (request_id, partner, direction);

create table certificate_notice (
	owner text not null, -- the partner, or nothing for the station
	sha256 text not null,
	notice text not null,
	noted_at bigint not null,
	primary key (owner, sha256, notice)
) without rowid;
