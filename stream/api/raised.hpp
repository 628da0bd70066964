#pragma once
// A flag that is set while something is under way.

namespace sluice::detail {

class raised {
 public:
  explicit raised(bool& flag) noexcept : flag_{flag} { flag_ = true; }
  ~raised() { flag_ = false; }
  raised(const raised&) = delete;
  raised& operator=(const raised&) = delete;

 private:
  bool& flag_;
};

}  // namespace sluice::detail
