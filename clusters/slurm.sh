#!/bin/bash
# A sweep on nodes of a Slurm cluster, in the project's directory on a filesystem that all nodes see (with locks):
#
#     sbatch --nodes=4 clusters/slurm.sh search_spaces/layer_selection.yaml --preset cifar100
#
# What stands behind the script's name goes to `sweeper run`. When the time is over or a node is lost, say the same again:
# the sweep goes on. At its end Ray's processes of yours on these nodes are stopped, so the nodes are taken whole.
#SBATCH --job-name=sweeper
#SBATCH --exclusive
#SBATCH --ntasks-per-node=1
#SBATCH --time=24:00:00
set -euo pipefail

source .venv/bin/activate
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
test -e ~/.ray/auth_token || ray get-auth-token --generate > /dev/null
chmod 600 ~/.ray/auth_token

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 10000)) # those from 10002 to 19999 are for Ray's workers
srun ray symmetric-run --address "$first:$port" --min-nodes "$SLURM_JOB_NUM_NODES" --object-store-memory 104857600 \
    -- sweeper run "$@" --address auto
