#include "transport/gss_context.hpp"

#include <gssapi/gssapi.h>

#include <limits>
#include <string_view>
#include <utility>

#include "messages/gss_packet.hpp"
#include "transport/printable.hpp"

namespace sluice::wire {

namespace {

gss_buffer_desc buffer_of(std::span<const std::byte> bytes) noexcept {
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};
}

/// What a function of GSSAPI allocated.
class made_buffer {
 public:
  made_buffer() = default;
  ~made_buffer() {
    OM_uint32 ignored = 0;
    (void)gss_release_buffer(&ignored, &buffer_);
  }
  made_buffer(const made_buffer&) = delete;
  made_buffer& operator=(const made_buffer&) = delete;

  [[nodiscard]] gss_buffer_t get() noexcept { return &buffer_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(buffer_.value), buffer_.length};
  }
  [[nodiscard]] std::string_view text() const noexcept {
    return {static_cast<const char*>(buffer_.value), buffer_.length};
  }

 private:
  gss_buffer_desc buffer_{0, nullptr};
};

/// All sentences of one status code.
void append_status(std::string& to, OM_uint32 code, int kind) {
  OM_uint32 more = 0;
  do {
    OM_uint32 minor = 0;
    made_buffer sentence;
    if (GSS_ERROR(gss_display_status(&minor, code, kind, GSS_C_NO_OID, &more, sentence.get()))) return;
    if (!to.empty()) to += ": ";
    to += printable(sentence.text());
  } while (more != 0);
}

/// "the major status: the minor status", as GSSAPI and Kerberos put them.
std::string words_of(OM_uint32 major, OM_uint32 minor) {
  std::string words;
  append_status(words, major, GSS_C_GSS_CODE);
  if (minor != 0) append_status(words, minor, GSS_C_MECH_CODE);
  return words;
}

std::string credentials_failure(OM_uint32 major, OM_uint32 minor) {
  return "GSSAPI has no credentials: " + words_of(major, minor) + "; is there a ticket (kinit)?";
}

}  // namespace

struct gss_context::handles {
  gss_ctx_id_t context{GSS_C_NO_CONTEXT};
  gss_name_t server{GSS_C_NO_NAME};

  handles() = default;
  ~handles() {
    OM_uint32 ignored = 0;
    if (context != GSS_C_NO_CONTEXT) (void)gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
    if (server != GSS_C_NO_NAME) (void)gss_release_name(&ignored, &server);
  }
  handles(const handles&) = delete;
  handles& operator=(const handles&) = delete;
};

gss_context::gss_context(gss_target with, purpose what)
    : with_{std::move(with)}, purpose_{what}, handles_{std::make_unique<handles>()} {}

gss_context::~gss_context() = default;

std::string gss_context::why_no_credentials() {
  OM_uint32 minor = 0;
  gss_cred_id_t found = GSS_C_NO_CREDENTIAL;
  const OM_uint32 major =
      gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_INITIATE, &found, nullptr, nullptr);
  if (GSS_ERROR(major)) return credentials_failure(major, minor);
  OM_uint32 ignored = 0;
  (void)gss_release_cred(&ignored, &found);
  return {};
}

void gss_context::step(std::span<const std::byte> from_server) {
  token_.clear();
  OM_uint32 minor = 0;
  if (handles_->server == GSS_C_NO_NAME) {
    gss_buffer_desc name = buffer_of(std::as_bytes(std::span{with_.service}));
    const OM_uint32 named = gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &handles_->server);
    if (GSS_ERROR(named)) {
      failure_ = "GSSAPI does not take the name of the service " + with_.service + ": " + words_of(named, minor);
      return;
    }
  }

  OM_uint32 wanted = GSS_C_MUTUAL_FLAG;
  if (purpose_ == purpose::encryption)
    wanted |= GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
  has_heard_ = handles_->context != GSS_C_NO_CONTEXT;
  gss_buffer_desc in = buffer_of(from_server);
  made_buffer out;
  OM_uint32 given = 0;
  const OM_uint32 major = gss_init_sec_context(
      &minor, GSS_C_NO_CREDENTIAL, &handles_->context, handles_->server, GSS_C_NO_OID,
      wanted | (with_.delegates ? static_cast<OM_uint32>(GSS_C_DELEG_FLAG) : 0), 0, GSS_C_NO_CHANNEL_BINDINGS,
      from_server.empty() ? GSS_C_NO_BUFFER : &in, nullptr, out.get(), &given, nullptr);
  if (GSS_ERROR(major)) {
    const bool is_bare = GSS_ROUTINE_ERROR(major) == GSS_S_NO_CRED;
    failure_ = is_bare ? credentials_failure(major, minor)
                       : "GSSAPI cannot identify the service " + with_.service + ": " + words_of(major, minor);
    return;
  }
  token_.assign(out.bytes().begin(), out.bytes().end());
  if ((major & GSS_S_CONTINUE_NEEDED) != 0) return;
  if ((given & wanted) != wanted)
    failure_ = "GSSAPI does not protect the session with the service " + with_.service + " as it has to";
  else
    is_established_ = true;
}

std::size_t gss_context::room_in(std::size_t most) {
  OM_uint32 minor = 0;
  OM_uint32 room = 0;
  const OM_uint32 major =
      gss_wrap_size_limit(&minor, handles_->context, 1, GSS_C_QOP_DEFAULT, static_cast<OM_uint32>(most), &room);
  if (!GSS_ERROR(major)) return room;
  failure_ = "GSSAPI does not tell how much it can encrypt: " + words_of(major, minor);
  return 0;
}

bool gss_context::wrap(std::span<const std::byte> plain, std::vector<std::byte>& to) {
  OM_uint32 minor = 0;
  int is_encrypted = 0;
  gss_buffer_desc in = buffer_of(plain);
  made_buffer out;
  const OM_uint32 major = gss_wrap(&minor, handles_->context, 1, GSS_C_QOP_DEFAULT, &in, &is_encrypted, out.get());
  if (GSS_ERROR(major))
    failure_ = "GSSAPI cannot encrypt: " + words_of(major, minor);
  else if (is_encrypted == 0)
    failure_ = "GSSAPI did not encrypt what is to be sent";
  else if (proto::append_gss_packet(out.bytes(), proto::max_gss_packet, to))
    failure_ = "what GSSAPI has encrypted does not fit into a packet";
  return failure_.empty();
}

bool gss_context::unwrap(std::span<const std::byte> wrapped, std::vector<std::byte>& to) {
  OM_uint32 minor = 0;
  int was_encrypted = 0;
  gss_buffer_desc in = buffer_of(wrapped);
  made_buffer out;
  const OM_uint32 major = gss_unwrap(&minor, handles_->context, &in, out.get(), &was_encrypted, nullptr);
  if (major != GSS_S_COMPLETE)  // also a packet that was repeated, or is missing
    failure_ = "GSSAPI cannot decrypt what arrived: " + words_of(major, minor);
  else if (was_encrypted == 0)
    failure_ = "the server, or somebody in between, sent what GSSAPI has not encrypted";
  else
    to.assign(out.bytes().begin(), out.bytes().end());
  return failure_.empty();
}

}  // namespace sluice::wire
