// Columns of types that C++ has no type for.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <sluice/proto/oid.hpp>
#include <sluice/stream/columns.hpp>

#include "messages/body_reader.hpp"
#include "rows/own_types.hpp"

namespace sluice {

namespace {

constexpr std::string_view wrong_length{"it is not as long as its type"};

template <std::size_t Size>
void read_hardware_address(const binary_field& from, hardware_address<Size>& into) {
  if (from.bytes.size() != Size) from.fail_value(wrong_length);
  std::ranges::copy(from.bytes, into.bytes.begin());
}

}  // namespace

void from_binary(const binary_field& from, char& into) {
  if (from.type != proto::oid::one_char) from.fail("\"char\"");
  into = static_cast<char>(from.load<std::uint8_t>());
}

void from_binary(const binary_field& from, network_address& into) {
  if (from.type != proto::oid::inet && from.type != proto::oid::cidr) from.fail("inet or cidr");
  constexpr std::uint8_t ipv4 = 2;
  constexpr std::uint8_t ipv6 = 3;
  constexpr std::size_t ipv4_size = 4;
  constexpr std::size_t bits_in_byte = 8;
  proto::body_reader in{from.bytes};
  const std::uint8_t family = in.u8();
  into = {};
  into.prefix = in.u8();
  into.is_cidr = in.u8() != 0;
  const std::size_t size = in.u8();
  into.is_ipv6 = family == ipv6;
  const std::span<const std::byte> address = in.bytes(size);
  if (!in.exhausted() || (family != ipv4 && family != ipv6) || size != (into.is_ipv6 ? into.bytes.size() : ipv4_size) ||
      into.prefix > size * bits_in_byte)
    from.fail_value("it is not an address");
  std::ranges::copy(address, into.bytes.begin());
}

void from_binary(const binary_field& from, mac_address& into) {
  if (from.type != proto::oid::macaddr) from.fail("macaddr");
  read_hardware_address(from, into);
}
void from_binary(const binary_field& from, mac_address_8& into) {
  if (from.type != proto::oid::macaddr8) from.fail("macaddr8");
  read_hardware_address(from, into);
}

void from_binary(const binary_field& from, bit_string& into) {
  if (from.type != proto::oid::bit && from.type != proto::oid::varbit) from.fail("bit or varbit");
  constexpr std::size_t bits_in_byte = 8;
  proto::body_reader in{from.bytes};
  into.size = in.u32();
  if (!in.ok() || in.remaining() != into.size / bits_in_byte + (into.size % bits_in_byte != 0 ? 1 : 0))
    from.fail_value(wrong_length);
  into.bytes = in.rest();
}

void from_binary(const binary_field& from, money& into) {
  if (from.type != proto::oid::money) from.fail("money");
  into.amount = static_cast<std::int64_t>(from.load<std::uint64_t>());
}

void from_binary(const binary_field& from, row_place& into) {
  if (from.type != proto::oid::tid) from.fail("tid");
  proto::body_reader in{from.bytes};
  into.page = in.u32();
  into.item = in.u16();
  if (!in.exhausted()) from.fail_value(wrong_length);
}

void from_binary(const binary_field& from, ltree& into) {
  if (from.type < detail::first_own_type) from.fail("ltree, lquery or ltxtquery");
  into.text = {reinterpret_cast<const char*>(from.bytes.data()), from.bytes.size()};
  if (!into.text.starts_with('\1')) from.fail_value("its version of ltree is not known");
  into.text.remove_prefix(1);
  if (into.text.find_first_of(std::string_view{"\0\1\2\3", 4}) != into.text.npos) from.fail_value("it is no ltree");
}

namespace detail {

std::optional<std::uint64_t> unsigned_number(const binary_field& from) {
  namespace oid = proto::oid;
  constexpr std::array narrow{oid::regproc,      oid::xid,      oid::cid,         oid::regprocedure, oid::regoper,
                              oid::regoperator,  oid::regclass, oid::regtype,     oid::regconfig,    oid::regdictionary,
                              oid::regnamespace, oid::regrole,  oid::regcollation};
  if (std::ranges::find(narrow, from.type) != narrow.end()) return from.load<std::uint32_t>();
  if (from.type == oid::xid8 || from.type == oid::pg_lsn) return from.load<std::uint64_t>();
  return std::nullopt;
}

bool read_bits(const binary_field& from, std::vector<bool>& into) {
  if (from.type != proto::oid::bit && from.type != proto::oid::varbit) return false;
  bit_string bits;
  from_binary(from, bits);
  into.resize(bits.size);
  for (std::size_t i = 0; i < bits.size; ++i) into[i] = bits[i];
  return true;
}

}  // namespace detail

}  // namespace sluice
