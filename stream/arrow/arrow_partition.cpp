#include <sluice/arrow/partitions.hpp>

#include <utility>

namespace sluice {

partition_read arrow_partition(const arrow_options& how, query_options limits) {
  return {.as = partition_read::rows::columns, .formats = *arrow_query(sql("select"), how).choice(), .query = limits};
}

arrow_reader open_arrow_partition(client& on, std::string_view descriptor, const arrow_options& how,
                                  query_options limits) {
  return arrow_reader{open_partition(on, descriptor, arrow_partition(how, limits)), how};
}

}  // namespace sluice
