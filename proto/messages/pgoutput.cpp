#include "messages/pgoutput.hpp"

namespace sluice::proto::pgoutput {

namespace {

/// The reader fails from now on.
void refuse(body_reader& in) noexcept { (void)in.bytes(in.remaining() + 1); }

template <class Message>
std::optional<Message> whole(const body_reader& in, const Message& message) noexcept {
  return in.exhausted() ? std::optional{message} : std::nullopt;
}

/// A reader behind the first byte, which is that of `is`.
body_reader after(std::span<const std::byte> body, kind is) noexcept {
  body_reader in{body};
  if (in.u8() != static_cast<std::uint8_t>(is)) refuse(in);
  return in;
}

/// A flag, or several, of which no others may be set.
std::uint8_t flags(body_reader& in, std::uint8_t known) noexcept {
  const std::uint8_t found = in.u8();
  if ((found & ~known) != 0) refuse(in);
  return found;
}

std::uint32_t xid_if(bool streamed, body_reader& in) noexcept { return streamed ? in.u32() : 0; }

tuple take_tuple(body_reader& in) noexcept {
  const std::size_t columns = in.u16();
  return tuple::take(in, columns);
}

/// The rest of a Commit, and of the messages that end a transaction like it.
commit take_commit(body_reader& in) noexcept {
  commit end;
  (void)flags(in, 0);
  end.commit_lsn = in.u64();
  end.end_lsn = in.u64();
  end.committed_at = in.i64();
  return end;
}

prepare take_prepare(body_reader& in) noexcept {
  prepare read;
  read.prepare_lsn = in.u64();
  read.end_lsn = in.u64();
  read.prepared_at = in.i64();
  read.xid = in.u32();
  read.gid = in.text();
  return read;
}

}  // namespace

std::optional<kind> kind_of(std::span<const std::byte> body) noexcept {
  if (body.empty()) return std::nullopt;
  return static_cast<kind>(std::to_integer<char>(body.front()));
}

relation_column relation_column::read(body_reader& in) noexcept {
  relation_column read;
  read.is_key = flags(in, 1) != 0;
  read.name = in.text();
  read.type = in.u32();
  read.modifier = in.i32();
  return read;
}

value value::read(body_reader& in) noexcept {
  value read{.is = static_cast<kind>(in.u8())};
  switch (read.is) {
    case kind::null:
    case kind::unchanged: return read;
    case kind::text:
    case kind::binary: read.bytes = in.bytes(in.u32()); return read;
  }
  refuse(in);
  return {};
}

std::optional<begin> decode_begin(std::span<const std::byte> body) noexcept {
  body_reader in = after(body, kind::begin);
  begin read;
  read.commit_lsn = in.u64();
  read.committed_at = in.i64();
  read.xid = in.u32();
  return whole(in, read);
}

std::optional<commit> decode_commit(std::span<const std::byte> body) noexcept {
  body_reader in = after(body, kind::commit);
  const commit read = take_commit(in);
  return whole(in, read);
}

std::optional<origin> decode_origin(std::span<const std::byte> body) noexcept {
  body_reader in = after(body, kind::origin);
  origin read;
  read.commit_lsn = in.u64();
  read.name = in.text();
  return whole(in, read);
}

std::optional<relation> decode_relation(std::span<const std::byte> body, bool streamed) noexcept {
  body_reader in = after(body, kind::relation);
  relation read;
  read.xid = xid_if(streamed, in);
  read.id = in.u32();
  read.schema = in.text();
  read.name = in.text();
  read.identity = static_cast<replica_identity>(in.u8());
  switch (read.identity) {
    case replica_identity::default_key:
    case replica_identity::nothing:
    case replica_identity::full:
    case replica_identity::index: break;
    default: refuse(in);
  }
  const std::size_t columns = in.u16();
  read.columns = packed_list<relation_column>::take(in, columns);
  return whole(in, read);
}

std::optional<type> decode_type(std::span<const std::byte> body, bool streamed) noexcept {
  body_reader in = after(body, kind::type);
  type read;
  read.xid = xid_if(streamed, in);
  read.id = in.u32();
  read.schema = in.text();
  read.name = in.text();
  return whole(in, read);
}

std::optional<row_change> decode_row_change(std::span<const std::byte> body, bool streamed) noexcept {
  const std::optional<kind> is = kind_of(body);
  if (is != kind::insert && is != kind::update && is != kind::remove) return std::nullopt;
  body_reader in = after(body, *is);
  row_change read;
  read.xid = xid_if(streamed, in);
  read.relation = in.u32();
  char part = static_cast<char>(in.u8());
  if (is != kind::insert && (part == static_cast<char>(old_row::key) || part == static_cast<char>(old_row::full))) {
    read.told = static_cast<old_row>(part);
    read.before = take_tuple(in);
    part = is == kind::update ? static_cast<char>(in.u8()) : '\0';
  } else if (is == kind::remove) {
    return std::nullopt;
  }
  if (is != kind::remove) {
    if (part != 'N') return std::nullopt;
    read.after = take_tuple(in);
  }
  return whole(in, read);
}

std::optional<truncate> decode_truncate(std::span<const std::byte> body, bool streamed) noexcept {
  constexpr std::uint8_t cascade = 1;
  constexpr std::uint8_t restart_identity = 2;
  body_reader in = after(body, kind::truncate);
  truncate read;
  read.xid = xid_if(streamed, in);
  const std::uint32_t relations = in.u32();
  const std::uint8_t options = flags(in, cascade | restart_identity);
  read.cascade = (options & cascade) != 0;
  read.restart_identity = (options & restart_identity) != 0;
  if (relations > in.remaining()) return std::nullopt;
  read.relations = packed_list<oid_field>::take(in, relations);
  return whole(in, read);
}

std::optional<message> decode_message(std::span<const std::byte> body, bool streamed) noexcept {
  body_reader in = after(body, kind::message);
  message read;
  read.xid = xid_if(streamed, in);
  read.is_transactional = flags(in, 1) != 0;
  read.lsn = in.u64();
  read.prefix = in.text();
  read.content = in.bytes(in.u32());
  return whole(in, read);
}

std::optional<stream_start> decode_stream_start(std::span<const std::byte> body) noexcept {
  body_reader in = after(body, kind::stream_start);
  stream_start read;
  read.xid = in.u32();
  read.is_first = flags(in, 1) != 0;
  return whole(in, read);
}

std::optional<stream_commit> decode_stream_commit(std::span<const std::byte> body) noexcept {
  body_reader in = after(body, kind::stream_commit);
  stream_commit read;
  read.xid = in.u32();
  read.end = take_commit(in);
  return whole(in, read);
}

std::optional<stream_abort> decode_stream_abort(std::span<const std::byte> body, bool has_details) noexcept {
  body_reader in = after(body, kind::stream_abort);
  stream_abort read;
  read.xid = in.u32();
  read.subxid = in.u32();
  if (has_details) {
    (void)in.u64();  // LSN
    (void)in.u64();  // time
  }
  return whole(in, read);
}

std::optional<prepare> decode_begin_prepare(std::span<const std::byte> body) noexcept {
  body_reader in = after(body, kind::begin_prepare);
  const prepare read = take_prepare(in);
  return whole(in, read);
}

std::optional<prepare> decode_prepare(std::span<const std::byte> body) noexcept {
  const std::optional<kind> is = kind_of(body);
  if (is != kind::prepare && is != kind::stream_prepare) return std::nullopt;
  body_reader in = after(body, *is);
  (void)flags(in, 0);
  const prepare read = take_prepare(in);
  return whole(in, read);
}

std::optional<commit_prepared> decode_commit_prepared(std::span<const std::byte> body) noexcept {
  body_reader in = after(body, kind::commit_prepared);
  commit_prepared read;
  read.end = take_commit(in);
  read.xid = in.u32();
  read.gid = in.text();
  return whole(in, read);
}

std::optional<rollback_prepared> decode_rollback_prepared(std::span<const std::byte> body) noexcept {
  body_reader in = after(body, kind::rollback_prepared);
  rollback_prepared read;
  (void)flags(in, 0);
  read.prepare_end_lsn = in.u64();
  read.end_lsn = in.u64();
  read.prepared_at = in.i64();
  read.rolled_back_at = in.i64();
  read.xid = in.u32();
  read.gid = in.text();
  return whole(in, read);
}

}  // namespace sluice::proto::pgoutput
