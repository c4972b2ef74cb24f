// The products by oneDNN's sgemm (row-major by its own definition). Threads are set by OMP_NUM_THREADS.
#include "products.h"

#include <dnnl.h>

std::string version() {
  const dnnl_version_t* v = dnnl_version();
  char text[64];
  snprintf(text, sizeof text, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
  return text;
}

void product(const Gemm& g, const float* a, const float* b, float* c) {
  const dnnl_status_t status = dnnl_sgemm(g.transpose_a ? 'T' : 'N', g.transpose_b ? 'T' : 'N', g.rows, g.cols, g.inner,
                                          1.0f, a, g.lda, b, g.ldb, 0.0f, c, g.ldc);
  if (status != dnnl_success) exit(3);
}
