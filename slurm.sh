#!/bin/bash
# A study on the nodes of a Slurm job. What stands behind slurm.sh goes to study.launch; the study is called what the
# job is called, and lies in runs/ of the folder where sbatch is called, which all nodes must see:
#
#   sbatch --job-name=photos --nodes=4 --gpus-per-node=1 slurm.sh poster --data images
#   sbatch --job-name=photos --nodes=4 --gpus-per-node=1 slurm.sh --resume --budget.trials 20      to extend it
#
# Two to three minutes before the time limit the study stops in an orderly way and the job queues itself again. However
# a job came to run again (time limit, lost node, preemption, `scontrol requeue`), it goes on with what the ledger says
# is unfinished. `scancel` ends it for good.
#
#SBATCH --job-name=study
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log

PATH=$PWD/.venv/bin:$PATH   # or what makes Python with this software known on your nodes: module load, conda activate

trap 'scontrol requeue "$SLURM_JOB_ID"; exit' USR1   # the time limit is near, and the study has not begun

# A requeued job comes with the arguments that started the study; that it was started is told by its folder.
if [[ ${SLURM_RESTART_COUNT:-0} -gt 0 && -e runs/$SLURM_JOB_NAME/study.yaml && " $* " != *" --resume "* ]]; then
    set -- --resume
fi

# Nodes may be shared. A secret of this run keeps others out of its Ray, and a port of its own keeps jobs apart.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN RAY_USAGE_STATS_ENABLED=0
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))') || exit
address=$(python -c 'import ray.util; print(ray.util.get_node_ip_address())'):$((20000 + SLURM_JOB_ID % 10000))
log=$SLURM_JOB_NAME-$SLURM_JOB_ID.ray.log

# Not `ray symmetric-run`: its `ray stop` ends every Ray of this user on the node, also another job's, and it passes
# no signal on to the study.
# shellcheck disable=SC2016  # expanded on each node
srun --nodes="$SLURM_NNODES" --ntasks-per-node=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" bash -c '
    role=--address=$0
    ((SLURM_NODEID)) || role="--head --port=${0##*:} --include-dashboard=false"
    exec ray start $role --num-cpus="${SLURM_CPUS_PER_TASK:-1}" --temp-dir="/tmp/ray-$UID" --block' \
    "$address" >>"$log" 2>&1 &
until ray health-check --address "$address" >/dev/null 2>&1; do
    kill -0 $! 2>/dev/null || { echo "Ray did not start on $HOSTNAME; $log says why." >&2; exit 1; }
    sleep 1
done

# Nodes that start later than the head join while the study runs.
python -m study.launch "$@" --name "$SLURM_JOB_NAME" --ray-address "$address" &
study=$!
trap 'cut=yes; kill -TERM $study' USR1
trap : TERM   # Slurm ends the job, and tells the study itself
while kill -0 $study 2>/dev/null; do wait $study; done   # a signal ends `wait` before the study
wait $study
code=$?
if [[ $cut && $code -gt 128 ]]; then scontrol requeue "$SLURM_JOB_ID"; fi   # stopped by a signal, not failed or done
exit $code   # Slurm ends Ray
