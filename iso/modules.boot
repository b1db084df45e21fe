cred
vfs
tmpfs
devfs
linux
tty
