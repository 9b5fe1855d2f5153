#!/bin/bash
# Bring up a private Slurm of several nodes on this machine, for tests: no systemd, no accounting, no cgroups.
#
# usage: tests/slurm/up.sh FOLDER [NODES]      then: . FOLDER/env.sh      stop it: tests/slurm/down.sh FOLDER
#
# Needs root, munge, slurmctld, slurmd and slurm-client.  Key, sockets, logs, state and process ids are in FOLDER.
# Every node has its own host name and /dev/shm, so that to MPI they are really several.
set -eu
folder=$1
nodes=${2:-2}
base=${PORT_BASE:-17000}
last=$((nodes - 1))
conf=$folder/slurm.conf
mkdir -p "$folder"/{state,log,run,tmp}
chmod 755 "$folder" "$folder"/{state,log,run,tmp} # munged refuses sockets in folders that are less open

(umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
munged --socket="$folder/run/munge.socket" --key-file="$folder/munge.key" --pid-file="$folder/run/munged.pid" \
    --log-file="$folder/log/munged.log" --seed-file="$folder/state/munged.seed" --num-threads=2

# config_overrides: more processors than there are.  ReturnToService: a node that was down comes back by itself.
# sched_interval, batch_sched_delay: jobs start at once.  KillWait: from TERM to KILL.
cat >"$conf" <<CONF
ClusterName=test
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$base
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket,cred_expire=10
MpiDefault=pmix
TmpFS=$folder/tmp/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,sched_interval=2,bf_interval=1
ReturnToService=2
SlurmdParameters=config_overrides
RebootProgram=/bin/true
KillWait=20
MinJobAge=300
BatchStartTimeout=60
MessageTimeout=60
SlurmdTimeout=120
StateSaveLocation=$folder/state/ctld
SlurmdSpoolDir=$folder/state/d.%n
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.%n.log
NodeName=n[0-$last] NodeAddr=127.0.0.1 Port=[$((base + 10))-$((base + 10 + last))] CPUs=4 Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=1000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
mkdir -p "$folder/state/ctld"
echo "export SLURM_CONF=$conf" >"$folder/env.sh"
export SLURM_CONF=$conf

slurmctld -i -f "$conf"
for i in $(seq 0 $last); do
    mkdir -p "$folder/state/d.n$i" "$folder/tmp/n$i"
    unshare -u -m sh -c 'hostname "$1" && mount -t tmpfs tmpfs /dev/shm && exec slurmd -N "$1" -f "$2"' sh "n$i" "$conf"
done
for _ in $(seq 600); do
    [ "$(sinfo -h -N -o %t 2>/dev/null | grep -c '^idle$')" = "$nodes" ] && exit 0
    sleep 0.1
done
echo "the nodes did not come up; see $folder/log" >&2
exit 1
