#pragma once
#include "model/record_batch.h"  // Moved: the target binds batches.
