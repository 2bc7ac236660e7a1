"""What every command needs: the home, its keys, the clock, the mappings, processes beside this one."""
