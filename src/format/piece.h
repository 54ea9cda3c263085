#pragma once
#include "model/piece.h"  // Moved: the target and the payload read pieces too.
