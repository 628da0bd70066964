// Texts of values that the server sends in a form of their own.
#include "rows/shown_text.hpp"

#include <arpa/inet.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/oid.hpp>
#include <sluice/stream/columns.hpp>

#include "json/text_buffer.hpp"
#include "json/value_writers.hpp"
#include "messages/body_reader.hpp"

namespace sluice {

namespace {

constexpr std::size_t float_size = 8;
constexpr std::size_t point_size = 2 * float_size;

/// Writes what the server's output functions of geometric types write.
class geometry {
 public:
  geometry(const binary_field& from, std::string& to) : from_{from}, in_{from.bytes}, to_{to} {}

  geometry& number() {
    const std::span<const std::byte> bytes = in_.bytes(float_size);
    if (!in_.ok()) malformed();
    const double value = std::bit_cast<double>(proto::load_big<std::uint64_t>(bytes.data()));
    if (std::isnan(value))
      to_ += "NaN";
    else if (std::isinf(value))
      to_ += value < 0 ? "-Infinity" : "Infinity";
    else {
      detail::text_buffer digits;
      (void)detail::write_float8(digits, bytes);
      to_ += digits.text();
    }
    return *this;
  }
  geometry& text(std::string_view what) {
    to_ += what;
    return *this;
  }
  geometry& point() { return text("(").number().text(",").number().text(")"); }
  geometry& points(std::uint32_t count) {
    if (count > in_.remaining() / point_size) malformed();
    for (std::uint32_t i = 0; i < count; ++i) text(i == 0 ? "" : ",").point();
    return *this;
  }
  [[nodiscard]] std::uint32_t count() { return in_.u32(); }
  [[nodiscard]] bool flag() { return in_.u8() != 0; }
  void end() const {
    if (!in_.exhausted()) malformed();
  }

 private:
  [[noreturn]] void malformed() const { from_.fail_value("it is not as long as its type"); }

  const binary_field& from_;
  proto::body_reader in_;
  std::string& to_;
};

bool show_geometry(const binary_field& from, std::string& into) {
  namespace oid = proto::oid;
  geometry it{from, into};
  switch (from.type) {
    case oid::point: it.point(); break;
    case oid::lseg: it.text("[").points(2).text("]"); break;
    case oid::box: it.points(2); break;
    case oid::line: it.text("{").number().text(",").number().text(",").number().text("}"); break;
    case oid::circle: it.text("<").point().text(",").number().text(">"); break;
    case oid::polygon: {
      const std::uint32_t count = it.count();
      it.text("(").points(count).text(")");
      break;
    }
    case oid::path: {
      const bool is_closed = it.flag();
      const std::uint32_t count = it.count();
      it.text(is_closed ? "(" : "[").points(count).text(is_closed ? ")" : "]");
      break;
    }
    default: return false;
  }
  it.end();
  return true;
}

template <class Value>
std::string shown_as(const binary_field& from) {
  Value value;
  from_binary(from, value);
  return value.to_string();
}

}  // namespace

bool detail::show(const binary_field& from, std::string& into) {
  namespace oid = proto::oid;
  into.clear();
  switch (from.type) {
    case oid::inet:
    case oid::cidr: into = shown_as<network_address>(from); return true;
    case oid::macaddr: into = shown_as<mac_address>(from); return true;
    case oid::macaddr8: into = shown_as<mac_address_8>(from); return true;
    case oid::bit:
    case oid::varbit: into = shown_as<bit_string>(from); return true;
    default: return show_geometry(from, into);
  }
}

std::string network_address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  (void)::inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
  std::string shown{text.data()};
  constexpr unsigned ipv4_bits = 32;
  constexpr unsigned ipv6_bits = 128;
  if (is_cidr || prefix != (is_ipv6 ? ipv6_bits : ipv4_bits)) shown += '/' + std::to_string(prefix);
  return shown;
}

std::string bit_string::to_string() const {
  std::string text(size, '0');
  for (std::size_t i = 0; i < size; ++i)
    if ((*this)[i]) text[i] = '1';
  return text;
}

}  // namespace sluice
