#!/bin/sh
# One binary of a release, on a machine of its platform: built, the tests, the 30 hashes on every Node. Run by
# .github/workflows/release.yml, in its containers as root; `release_binary.sh wasm32` makes the WebAssembly module.
set -eu
case "$(cat /etc/os-release 2> /dev/null)" in
  *ID=alpine*) apk add --no-cache g++ make cmake python3 binutils git ;;
esac
if [ "${1:-}" = wasm32 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends g++ make cmake clang-19 lld-19 llvm-19 wasi-libc binaryen \
    libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 libclang-rt-19-dev-wasm32
fi
npm ci --ignore-scripts
if [ "${1:-}" = wasm32 ]; then
  node scripts/prebuilds.mjs wasm32 --require
  npx vitest run test/wasm.test.ts
else
  node scripts/prepack.mjs
  npm test
  node scripts/try_nodes.mjs
fi
