#!/bin/sh
# stage.sh ARCHITECTURE PREFIX FOREIGN OUT: builds the self-tests of Debian's package linux-source-6.1 for another architecture and
# packs them as the archive OUT, below /t. ARCHITECTURE is Linux's and Debian's name, PREFIX the cross compiler's, FOREIGN the directory
# with the packages libcap-dev, libcap-ng-dev, bash, libtinfo6 and coreutils of that architecture. The log is OUT.log.
set -eu
arch=$1 prefix=$2 foreign=$3 out=$4
tests="capabilities clone3 core exec futex/functional kcmp membarrier pidfd prctl proc rlimits rseq sched sigaltstack size timers"
source=/usr/src/linux-source-6.1.tar.xz
triplet=${prefix%-}
src=$out.src tree=$out.tree log=$out.log
self=$src/tools/testing/selftests

if ! [ -e "$source" ]; then
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends linux-source-6.1 xz-utils make gcc libc6-dev >&2
fi
if ! [ -e "$src/.unpacked" ]; then
	rm -rf "$src"
	mkdir -p "$src"
	tar -xf "$source" -C "$src" --strip-components=1 linux-source-6.1/Makefile "linux-source-6.1/arch/$arch" \
		linux-source-6.1/arch/x86 linux-source-6.1/include linux-source-6.1/scripts linux-source-6.1/tools linux-source-6.1/usr
	# A static program already has glibc's clock_adjtime: the test's own one gets another name.
	sed -i 's/\bclock_adjtime(/test_&/' "$self/timers/valid-adjtimex.c"
	: > "$src/.unpacked"
fi
make -C "$src" "ARCH=$arch" headers > "$log" 2>&1

export C_INCLUDE_PATH="$foreign/libcap-dev/usr/include:$foreign/libcap-ng-dev/usr/include"
libraries="-L$foreign/libcap-dev/usr/lib/$triplet -L$foreign/libcap-ng-dev/usr/lib/$triplet"
rm -rf "$tree"
for test in $tests; do
	case $test in
	exec | rseq) flags= ;;		# load_address wants an interpreter, rseq's library is shared
	*) flags="-static $libraries" ;;
	esac
	make -k -C "$self/$test" -j2 "ARCH=$arch" "CROSS_COMPILE=$prefix" "CC=${prefix}gcc" "KHDR_INCLUDES=-isystem $src/usr/include" \
		"LDFLAGS=$flags" >> "$log" 2>&1 || true
	dest=$tree/t/$(echo "$test" | tr / _)
	mkdir -p "$dest"
	find "$self/$test" -maxdepth 1 \( -type f -perm -u+x -o -type l -o -name execveat.denatured -o -name '*.so' \) \
		-exec cp -a {} "$dest/" \;
	find "$dest" -type f -exec "${prefix}strip" {} + 2> /dev/null || true
done
rm -f "$tree/t/exec/load_address.static.0x1000000"	# 50 MB, and no more than its smaller brothers show
mkdir -p "$tree/t/exec/subdir" "$tree/lib" "$tree/bin"
cp "$self/exec/Makefile" "$tree/t/exec/"		# the execveat test reads it
for library in ld-linux-aarch64.so.1 libc.so.6 libpthread.so.0 libdl.so.2 librt.so.1 libgcc_s.so.1; do
	cp -L "/usr/$triplet/lib/$library" "$tree/lib/"
done
# execveat wants 127, as bash gives, from a script that cannot be opened; non-regular a true that runs under any name.
cp "$foreign/bash/bin/bash" "$foreign/coreutils/bin/true" "$tree/bin/"
ln -s bash "$tree/bin/sh"
cp -L "$foreign/libtinfo6/lib/$triplet/libtinfo.so.6" "$tree/lib/"
cp "$(dirname "$0")/guest.sh" "$tree/kselftest"
chmod 755 "$tree/kselftest"
(cd "$tree" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) > "$out.part"
mv "$out.part" "$out"
rm -rf "$src" "$tree"
