// The products by OpenBLAS's sgemm. Threads are set by OPENBLAS_NUM_THREADS, which the runner gives every contender.
#include "products.h"

#include <cblas.h>

std::string version() { return openblas_get_config(); }

void product(const Gemm& g, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, g.transpose_a ? CblasTrans : CblasNoTrans, g.transpose_b ? CblasTrans : CblasNoTrans, g.rows,
              g.cols, g.inner, 1.0f, a, g.lda, b, g.ldb, 0.0f, c, g.ldc);
}
