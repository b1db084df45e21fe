#!/bin/busybox sh
# PID 1 of the guest, then the runner: runs the lines "group name command" of /list, each for at most so many seconds as /limit says,
# and prints for each
#   START group name
#   RESULT group name exit-status ok-lines not-ok-lines
#    | last lines of its output, unless it passed
# and ALLDONE at the end. A test that kills the runner does not end the run: PID 1 starts it again behind that test.
run() {
	count=$(wc -l < /list)
	i=$(cat /run/index)
	while [ "$i" -lt "$count" ]; do
		i=$((i + 1))
		echo $i > /run/index
		line=$(sed -n "${i}p" /list)
		group=${line%% *} line=${line#* }
		name=${line%% *} command=${line#* }
		cd "/t/$group" || cd /
		echo "START $group $name"
		setsid timeout -k 3 -s INT "$(cat /limit)" bash -c "$command" < /dev/null > /run/out 2>&1
		status=$?
		echo "RESULT $group $name $status $(grep -c '^ok ' /run/out) $(grep -c '^not ok' /run/out)"
		[ $status = 0 ] || tail -n 6 /run/out | tr '\r' '\n' | grep . | cut -c 1-180 | sed 's/^/ | /'
		killall5 -9 2> /dev/null
	done
}

export PATH=/bin:/usr/bin:/sbin:/usr/sbin TMPDIR=/tmp HOME=/root USER=root LANG=C TERM=linux
if [ "${1:-}" = run ]; then
	run
	exit
fi
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /root /mnt
/bin/busybox --install -s /bin 2> /dev/null
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2> /dev/null
mkdir -p /dev/shm /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs tmpfs /run
ln -sf /proc/self/fd /dev/fd
ulimit -c 0
echo 0 > /run/index
while [ "$(cat /run/index)" -lt "$(wc -l < /list)" ]; do
	setsid sh /kselftest run
done
echo ALLDONE
poweroff -f
